"""The tests run where the stand-ins are: ``make test`` sees to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two workers share the tests: a folder stays together for its fixtures' sake, examples are dealt out singly."""
    for item in items:
        folder = item.path.parent.name
        if folder != "examples":
            item.add_marker(pytest.mark.xdist_group(folder))


def pytest_sessionstart(session: pytest.Session) -> None:
    if "STANDINS_REPORT" not in os.environ:
        pytest.exit("the stand-ins are not running; say 'make test', or: python -m standins python -m pytest ...", 2)
