"""What a chapter's example printed in the run that the site shows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from engine.cache import Cache
from engine.example import read
from engine.execution import Run
from engine.session import Session, failure_message

ROOT = Path(__file__).parents[2]


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


@pytest.fixture
def is_picture(run_of: Callable[[str], Run]) -> Callable[[str, str], bool]:
    """Whether that cell drew something."""

    def drawn(example: str, cell: str) -> bool:
        return any(
            "image/png" in output.get("data", {})
            for each in run_of(example).notebook.cells
            if each.metadata.get("title") == cell
            for output in each.outputs
        )

    return drawn
