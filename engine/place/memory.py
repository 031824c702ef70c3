"""How much memory there is: the machine's, or that of the container, if this is less."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil

CONTROL = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
# Of both versions of cgroups: a limit, what is used of it, and the line of memory.stat that says what of this is files
# which nobody has looked at for long, and which make room when there is need.
VERSIONS = (
    ("", "memory.max", "memory.current", "inactive_file"),
    ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
)


def available(control: Path = CONTROL, membership: Path = MEMBERSHIP) -> int:
    """Bytes."""
    machine: int = psutil.virtual_memory().available
    return min([machine, *_left_by_groups(control, membership)])


def _left_by_groups(control: Path, membership: Path) -> Iterator[int]:
    """Of every group that this process is in and that has a limit."""
    try:
        lines = [line.split(":", 2) for line in membership.read_text(encoding="utf-8").splitlines()]
    except OSError:
        return
    for controller, limit, used, files in VERSIONS:
        for _, controllers, group in lines:
            if controller in controllers.split(","):
                folder = control / controller / group.lstrip("/")
                while folder.is_relative_to(control / controller):
                    yield from _left(folder, limit, used, files)
                    folder = folder.parent


def _left(folder: Path, limit: str, used: str, files: str) -> Iterator[int]:
    try:
        most, now = (
            (folder / limit).read_text(encoding="ascii").strip(),
            int((folder / used).read_text(encoding="ascii")),
        )
        statistics = dict(line.split() for line in (folder / "memory.stat").read_text(encoding="ascii").splitlines())
    except (OSError, ValueError):
        return
    if most != "max":
        yield int(most) - now + int(statistics.get(files, 0))
