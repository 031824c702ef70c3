"""Small real content for the stand-in hubs, prepared once into a cache outside git.

Everything comes out of pinned packages (``packages.toml``), is checked by sha256, and is made again when missing
or damaged.  :func:`ensure` is all that others need; it imports no torch.
"""

from standins.assets.errors import PreparationError
from standins.assets.manifest import FileRecord, Manifest
from standins.assets.packages import Package, pinned
from standins.assets.store import Asset, ensure

__all__ = ["Asset", "FileRecord", "Manifest", "Package", "PreparationError", "ensure", "pinned"]
