"""The examples are run, and pages show them with what they printed."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import at_8b, badge, cells, device_tabs, execution, folding, handed_in, typed_code, variants, your_host


def setup(app: Sphinx) -> ExtensionMetadata:
    showing = (cells, badge, at_8b, variants, device_tabs, folding, typed_code)
    return connect_all(app, handed_in, execution, *showing, your_host)
