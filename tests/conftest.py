"""The tests run where the stand-ins are: ``make test`` sees to it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from engine.cache import Cache
from engine.session import Session, failure_message
from engine.values.example import read
from engine.values.run import Run

ROOT = Path(__file__).parents[1]


class ByFolder(LoadScopeScheduling):
    """A folder stays with one worker for its fixtures' sake, examples are dealt out singly.

    (Marks would do, but xdist 3.8 does not see those of pytest 9.2, and says nothing.)
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = Path(nodeid.partition("::")[0]).parent.name
        return nodeid if folder == "examples" else folder


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFolder:
    """Two workers share the tests."""
    return ByFolder(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of those that are dealt out singly the longest goes first, so that nobody waits for it at the end."""
    items.sort(key=lambda item: item.name != "test_all_others_run_without_an_npu")


def pytest_sessionstart(session: pytest.Session) -> None:
    if "STANDINS_REPORT" not in os.environ:
        pytest.exit("the stand-ins are not running; say 'make test', or: python -m standins python -m pytest ...", 2)


@pytest.fixture(scope="session")
def run_of() -> Callable[[str], Run]:
    """``run_of("lora.py")`` is its run: the build's, or a new one where that no longer holds."""

    @cache
    def run(name: str) -> Run:
        example = read(ROOT / "examples" / name)
        found = Session(Cache(ROOT / "_build/runs")).run([example])[name]
        assert found.record.succeeded, failure_message(found, Path("examples") / name)
        return found

    return run


@pytest.fixture
def printed(run_of: Callable[[str], Run]) -> Callable[[str, str], str]:
    """``printed("lora.py", "table")`` is what that cell wrote to stdout."""

    def text(example: str, cell: str) -> str:
        return "".join(
            output.text
            for each in run_of(example).notebook.cells
            if each.metadata.get("title") == cell
            for output in each.outputs
            if output.get("name") == "stdout"
        )

    return text
