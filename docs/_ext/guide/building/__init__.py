"""How a build goes: what it need not load, and which pages it makes anew."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import collector, no_execution, rebuilding, templates


def setup(app: Sphinx) -> ExtensionMetadata:
    return connect_all(app, collector, no_execution, rebuilding, templates)
