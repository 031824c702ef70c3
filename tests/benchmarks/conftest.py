from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rows import Results
from benchmarks.run import QUICK, run


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Everything measured once on one example, without peers: they are not installed where the tests run."""
    return run(QUICK, tmp_path_factory.mktemp("bench"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "project"
