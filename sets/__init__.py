"""Sets of versions that belong together, a file each: ``sets/cann-8.5.txt``; what ran with them is in ``records/``.

``make set SET=cann-8.5`` makes the environment, runs what has changed in it and writes its record.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
FACT = re.compile(r"^# (CANN|Source|Date): (.+)$", re.MULTILINE)
PIN = re.compile(r"^([\w.-]+)(?:==(\S+))?$", re.MULTILINE)


@dataclass(frozen=True)
class VersionSet:
    """What its file says; pip takes the file as it is, with ``-r`` or ``-c``."""

    name: str
    about: str
    """Its first line."""
    pins: Mapping[str, str]
    """Version by package, in order; empty where any will do."""
    cann: str = ""
    """The CANN release that lists this torch_npu; empty when none does."""
    source: str = ""
    """Which table says so."""
    date: str = ""
    """When the table was read and the set resolved."""

    @property
    def file(self) -> Path:
        return FOLDER / f"{self.name}.txt"

    @property
    def pinned(self) -> bool:
        """Whether it names versions; one that does not is another every day."""
        return all(self.pins.values())

    def requirements(self, ours: Mapping[str, str]) -> list[str]:
        """What runs examples with this set: its own packages, and of ``ours``, lines by package, all the others."""
        own = {name: f"{name}=={version}" if version else name for name, version in self.pins.items()}
        return [*own.values(), *(line for name, line in ours.items() if name not in own)]


def read(file: Path) -> VersionSet:
    """The set in this file."""
    text = file.read_text(encoding="utf-8")
    facts = {name.lower(): value for name, value in FACT.findall(text)}
    return VersionSet(file.stem, text.partition("\n")[0].removeprefix("# "), dict(PIN.findall(text)), **facts)


def every_set() -> dict[str, VersionSet]:
    """All sets by name: those of CANN releases, the newest release first, then the others."""
    found = [read(file) for file in sorted(FOLDER.glob("*.txt"))]
    found.sort(key=lambda each: (each.cann, each.name.startswith("cann"), each.pinned), reverse=True)
    return {each.name: each for each in found}
