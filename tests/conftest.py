"""The tests run where the stand-ins are: ``make test`` sees to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def pytest_sessionstart(session: pytest.Session) -> None:
    if "STANDINS_REPORT" not in os.environ:
        pytest.exit("the stand-ins are not running; say 'make test', or: python -m standins python -m pytest ...", 2)
