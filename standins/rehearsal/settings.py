"""How the rooms learn that they are to rehearse, from the environment."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from standins.npu.settings import Settings, settings
from standins.rehearsal.models import Model, from_config, known

REPORTS = "REHEARSAL"
"""Names the folder into which each process that used a card puts what was counted."""
CONFIG = "REHEARSAL_CONFIG"
"""Names the config.json of a model that the catalogue does not have."""
WEIGHTS = "REHEARSED_MODELS"
START_UP = Path(__file__).with_name("start-up")
CARDS = 8  # of one host: how many a rehearsed program may use


def offered(content: str) -> dict[str, object]:
    """For the stand-ins' report: the command that runs another where everything is rehearsed, and a digest of what that
    depends on, ``content`` being the one of what stands in here."""
    device = replace(Settings(), devices=CARDS, sizes_only=True).environment()
    digest = hashlib.sha256(f"{content} {device}".encode())
    here = Path(__file__).parent
    for file in (here.with_name("hub") / "rehearsed.py", *sorted(here.rglob("*"))):
        if file.suffix in (".py", ".toml"):
            digest.update(file.read_bytes())
    variables = [f"{name}={value}" for name, value in device.items()]
    return {"command": ["env", *variables, sys.executable, "-m", "standins"], "content": digest.hexdigest()}


def models(environment: Mapping[str, str]) -> Iterable[Model]:
    """Those that are served with their true shapes; none where nothing is rehearsed."""
    if not settings(environment).sizes_only:
        return []
    own = [from_config(Path(environment[CONFIG]))] if environment.get(CONFIG) else []
    return [*known().values(), *own]


def environment(user: Mapping[str, str], scratch: Path) -> dict[str, str]:
    """Variables that a rehearsal needs beside those of the device, and ``START_UP`` in front of PYTHONPATH."""
    if not settings(user).sizes_only:
        return {}
    reports = Path(user.get(REPORTS) or scratch / "reports")
    reports.mkdir(parents=True, exist_ok=True)
    return {
        REPORTS: str(reports),
        WEIGHTS: str(scratch / "rehearsed"),
    }
