"""From nothing to an answer in fifteen lines."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples/quick_start.py"
Printed = Callable[[str, str], str]


def test_it_takes_fifteen_lines_at_most() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()[1:]  # after the title
    assert len([line for line in lines if line and not line.startswith("#")]) <= 15


def test_the_prompt_ends_where_the_assistant_begins(printed: Printed) -> None:
    assert printed("quick_start.py", "prompt").rstrip().endswith("<|im_start|>assistant")


def test_the_answer_is_right(printed: Printed) -> None:
    assert "Paris" in printed("quick_start.py", "answer")
