"""How a page looks on a screen."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import accessibility, code_lines, dark_mode, menu, reading_time, weight


def setup(app: Sphinx) -> ExtensionMetadata:
    return connect_all(app, accessibility, code_lines, dark_mode, menu, reading_time, weight)
