from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cache import Cache
from engine.example import discover
from engine.execution import Run
from engine.session import Session, failure_message

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def runs() -> dict[str, Run]:
    """The run of every example, as a build of the site has it: from the same cache, executed where it is stale."""
    return Session(Cache(ROOT / "_build/runs")).run(discover(ROOT / "examples"))


@pytest.fixture
def printed(runs: dict[str, Run]) -> Callable[[str, str], str]:
    """``printed("tokenizer.py", "encode")`` is what that cell wrote to stdout."""

    def text(example: str, cell: str) -> str:
        run = runs[example]
        assert run.record.succeeded, failure_message(run, Path("examples") / example)
        found = next(each for each in run.notebook.cells if each.metadata.get("title") == cell)
        return "".join(output.text for output in found.outputs if output.get("name") == "stdout")

    return text
