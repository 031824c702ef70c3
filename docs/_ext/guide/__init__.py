"""The guide's extensions of Sphinx.

A folder for each concern, which conf.py names.  A part of it is a module with ``connect(app)``: to add one, name it in
the ``setup`` of its folder.
"""

from typing import Protocol

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


class Part(Protocol):
    """A module of this package, as it joins a build."""

    def connect(self, app: Sphinx) -> None: ...


def connect_all(app: Sphinx, *parts: Part) -> ExtensionMetadata:
    """Connect the parts of a folder, in this order."""
    for part in parts:
        part.connect(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
