"""What a cell needs of the place where it runs: ``# %% four needs=["npu>=4", "transformers>=5"]``.

A need is a requirement as pip writes it; ``npu`` is the number of Ascend devices, silicon or virtual.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

NPU = "npu"


def parsed(text: str | None) -> tuple[str, ...]:
    """The requirements in a cell's marker; raises ``ValueError`` that says how to write them."""
    try:
        needs = tuple(json.loads(text or "[]"))
        for need in needs:
            Requirement(need)
    except (ValueError, TypeError, InvalidRequirement):
        raise ValueError(f'needs={text} is no list of requirements; write needs=["npu>=2"]') from None
    return needs


def unmet(needs: Iterable[str], npus: int, packages: Mapping[str, str]) -> str:
    """The first need that so many devices and these versions do not meet, empty when they meet all."""
    have: dict[str, str] = {canonicalize_name(name): version for name, version in packages.items()}
    if npus:
        have[canonicalize_name(NPU)] = str(npus)
    return next((need for need in needs if not _met(Requirement(need), have)), "")


def _met(need: Requirement, have: Mapping[str, str]) -> bool:
    version = have.get(canonicalize_name(need.name))
    return version is not None and need.specifier.contains(version, prereleases=True)
