"""DPO starts where it must, learns to tell the answers apart, answers as preferred, and so does what was saved."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Printed = Callable[[str, str], str]


def metric(text: str, name: str) -> float:
    """The last one printed."""
    return float(re.findall(rf"\b{name} (-?[\d.]+)", text)[-1])


def answers(text: str) -> list[str]:
    return [ast.literal_eval(line.partition(" -> ")[2]) for line in text.splitlines() if " -> " in line]


def test_before_training_it_can_not_tell_them_apart(printed: Printed) -> None:
    before = printed("dpo.py", "before")
    assert abs(metric(before, "margins")) < 0.05 and metric(before, "accuracies") <= 0.6


def test_training_draws_good_and_bad_apart(printed: Printed) -> None:
    losses = [float(loss) for loss in re.findall(r"\bloss ([\d.]+)", printed("dpo.py", "train"))]
    assert losses[-1] < losses[0] / 2
    before, after = printed("dpo.py", "before"), printed("dpo.py", "after")
    assert metric(after, "accuracies") > 0.8 and metric(after, "margins") > 0.5
    assert metric(after, "rejected") < metric(before, "rejected") - 5 < metric(after, "chosen") - 5


def test_it_answers_shortly_and_rightly_what_it_was_never_asked(printed: Printed) -> None:
    before, after = answers(printed("dpo.py", "before")), answers(printed("dpo.py", "after"))
    assert len(after) == 3 and sum(map(len, after)) < sum(map(len, before)) / 2
    right = ("Paris", "Small", "puppy")
    assert sum(word in answer for word, answer in zip(right, after, strict=True)) >= 2


def test_loaded_again_it_answers_the_same(printed: Printed) -> None:
    assert printed("dpo.py", "reload") == "the same answers: True\n"
