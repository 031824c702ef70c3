"""Tells, in JSON, what the Python that runs it lacks of requirement files: ``unmet.py FLOORS LIST ...``.

``FLOORS`` names what may have another version than the pinned one, and from which on.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

try:
    from packaging.requirements import Requirement
except ImportError:
    from pip._vendor.packaging.requirements import Requirement


def requirements(file: Path) -> dict:
    """By name, in order; what the file includes by ``-r`` comes at its place."""
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text.startswith("-r"):
            found.update(requirements(file.parent / text.split()[1]))
        elif text:
            found[Requirement(text).name] = Requirement(text)
    return found


def met(requirement: Requirement) -> bool:
    """Whether a version is installed that it allows, or it is not meant for this machine."""
    if requirement.marker and not requirement.marker.evaluate():
        return True
    try:
        return requirement.specifier.contains(version(requirement.name), prereleases=True)
    except PackageNotFoundError:
        return False


def unmet(floors: Path, lists: list) -> list:
    """The pinned lines that this environment should have, where it has neither them nor what ``floors`` allows."""
    allowed = requirements(floors)
    found = []
    for pinned in (each for file in lists for each in requirements(file).values()):
        line = str(pinned)
        if pinned.name in allowed:
            pinned.specifier = allowed[pinned.name].specifier
        if not met(pinned):
            found.append(line)
    return found


def kept() -> list:
    """torch and torch_npu as they are here, as lines that keep pip from changing them."""
    return [f"{each.name}=={each.version}" for each in distributions() if each.name in ("torch", "torch_npu")]


if __name__ == "__main__":
    print(json.dumps({"unmet": unmet(Path(sys.argv[1]), [Path(file) for file in sys.argv[2:]]), "kept": kept()}))
