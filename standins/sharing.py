"""What one user has made and others may use."""

from __future__ import annotations

from pathlib import Path


def make_readable(new: Path, place: Path) -> None:
    """Whoever may read the folder ``place`` may read all of ``new``, which comes into it.

    Some libraries write files for their owner alone, and so does everybody with umask 077.
    """
    readable = place.stat().st_mode & 0o444
    for path in (new, *new.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            enter = readable >> 2 if path.is_dir() or mode & 0o100 else 0
            path.chmod(mode | readable | enter)
