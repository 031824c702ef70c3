"""What stands side by side on the pages are answers to the same questions, and they differ."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from guide.facts.before_after import answers

Printed = Callable[[str, str], str]


@pytest.mark.parametrize("example", ["lora.py", "instruction_tuning.py", "my_data.py", "dpo.py"])
def test_the_same_questions_are_answered_otherwise_after_training(printed: Printed, example: str) -> None:
    before, after = (answers(printed(example, cell)) for cell in ("before", "after"))
    assert len(before) >= 3 and before.keys() == after.keys()
    assert all(before[question].text != after[question].text for question in before)


def test_a_line_without_a_mark_and_one_that_is_no_answer() -> None:
    said = answers("Who? -> 'I.'\nright | Where -> here? -> \"It's 'there'.\"\nright: 1 of 2\nloss -> 3\n")
    assert {question: str(answer) for question, answer in said.items()} == {
        "Who?": "I.",
        "Where -> here?": "✓ It's 'there'.",
    }
