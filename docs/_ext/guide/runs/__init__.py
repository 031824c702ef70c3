"""The examples are run, and pages show them with what they printed."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import at_8b, badge, cells, device_tabs, execution, folding, handed_in, typed_code


def setup(app: Sphinx) -> ExtensionMetadata:
    return connect_all(app, handed_in, execution, cells, badge, at_8b, device_tabs, folding, typed_code)
