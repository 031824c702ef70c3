from __future__ import annotations

from pathlib import Path

import pytest

from engine.cache import Cache
from engine.session import Session
from engine.values.example import discover
from engine.values.run import Run

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def runs() -> dict[str, Run]:
    """The run of every example, as a build of the site has it: from the same cache, executed where it is stale."""
    return Session(Cache(ROOT / "_build/runs")).run(discover(ROOT / "examples"))
