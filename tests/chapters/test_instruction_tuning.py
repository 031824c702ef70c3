"""The answers come in the asked form after training, and did not before."""

from __future__ import annotations

import re
from collections.abc import Callable

Printed = Callable[[str, str], str]
IsPicture = Callable[[str, str], bool]


def scores(text: str) -> tuple[int, int, int]:
    """Answers of one word, right answers, and how many were asked for."""
    (words, total), (right, _) = re.findall(r"(\d+) of (\d+)", text)
    return int(words), int(right), int(total)


def test_hardly_an_answer_has_the_form_before(printed: Printed) -> None:
    words, _right, total = scores(printed("instruction_tuning.py", "before"))
    assert words < total / 4


def test_nearly_all_have_it_after_and_most_are_right(printed: Printed) -> None:
    words, right, total = scores(printed("instruction_tuning.py", "after"))
    assert words > 0.9 * total and right > 0.65 * total


def test_only_the_answer_and_its_end_are_learnt(printed: Printed) -> None:
    learnt = re.search(r"learns: '(.*)'$", printed("instruction_tuning.py", "labels"), re.M)
    assert learnt and re.fullmatch(r"(positive|negative)<\|im_end\|>(\\n)?", learnt[1])


def test_other_questions_are_still_answered(printed: Printed) -> None:
    assert "Paris" in printed("instruction_tuning.py", "after")


def test_the_saved_adapter_answers_the_same(printed: Printed) -> None:
    assert printed("instruction_tuning.py", "after").startswith(printed("instruction_tuning.py", "load"))


def test_the_curve_is_a_picture(is_picture: IsPicture) -> None:
    assert is_picture("instruction_tuning.py", "curve")
