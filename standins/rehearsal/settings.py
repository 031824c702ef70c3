"""How the rooms learn that they are to rehearse, from the environment."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from standins.npu.settings import settings
from standins.rehearsal.models import Model, from_config, known

REPORTS = "REHEARSAL"
"""Names the folder into which each process that used a card puts what was counted."""
CONFIG = "REHEARSAL_CONFIG"
"""Names the config.json of a model that the catalogue does not have."""
WEIGHTS = "REHEARSED_MODELS"
START_UP = Path(__file__).with_name("start-up")


def models(environment: Mapping[str, str]) -> Iterable[Model]:
    """Those that are served with their true shapes; none where nothing is rehearsed."""
    if not settings(environment).sizes_only:
        return []
    own = [from_config(Path(environment[CONFIG]))] if environment.get(CONFIG) else []
    return [*known().values(), *own]


def environment(user: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Variables that a rehearsal needs beside those of the device."""
    if not settings(user).sizes_only:
        return {}
    before = user.get("PYTHONPATH")
    reports = Path(user.get(REPORTS) or scratch / "reports")
    reports.mkdir(parents=True, exist_ok=True)
    return {
        "PYTHONPATH": f"{START_UP}{os.pathsep}{before}" if before else str(START_UP),
        REPORTS: str(reports),
        WEIGHTS: str(scratch / "rehearsed"),
    }
