"""Builds of the virtual device that nobody uses any more, of other versions or of sources as they were, are removed."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

UNUSED_SECONDS = 30 * 24 * 3600
OURS = re.compile(r".+-torch-.+-[0-9a-f]{12}(\.lock)?")


def used(folder: Path) -> Path:
    """The same folder, noted as used now; what lies beside it and is not ours is left alone."""
    with suppress(OSError):  # of another user
        os.utime(folder)
    long_ago = time.time() - UNUSED_SECONDS
    for other in folder.parent.iterdir():
        if OURS.fullmatch(other.name) and other.stat().st_mtime < long_ago:
            shutil.rmtree(other, ignore_errors=True)
            with suppress(OSError):
                other.unlink(missing_ok=True)
    return folder
