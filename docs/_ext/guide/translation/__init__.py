"""The guide in several languages."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import anchors, chinese_lines, interface, languages


def setup(app: Sphinx) -> ExtensionMetadata:
    return connect_all(app, interface, languages, anchors, chinese_lines)
