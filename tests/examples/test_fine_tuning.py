"""The model learns: what the page says of accuracy and of the curve holds in the run that it shows."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from engine.values.run import Run

Printed = Callable[[str, str], str]


@pytest.fixture
def evaluations(printed: Printed) -> list[tuple[float, float]]:
    """Loss and accuracy of each evaluation, from the printed table."""
    rows = re.findall(r"^ *\d+ +([\d.]+) +([\d.]+)$", printed("fine_tuning.py", "table"), re.MULTILINE)
    return [(float(loss), float(accuracy)) for loss, accuracy in rows]


def test_accuracy_rises_clearly_above_the_commonest_star(
    printed: Printed, evaluations: list[tuple[float, float]]
) -> None:
    numbers = re.search(r"accuracy before: ([\d.]+), .*: ([\d.]+)$", printed("fine_tuning.py", "before"), re.MULTILINE)
    assert numbers
    before, majority = map(float, numbers.groups())
    _loss, last = evaluations[-1]
    assert last > majority + 0.2 and last > before + 0.2


def test_the_loss_on_what_it_has_not_seen_falls_with_every_evaluation(evaluations: list[tuple[float, float]]) -> None:
    losses = [loss for loss, _ in evaluations]
    assert len(losses) == 3 and losses == sorted(losses, reverse=True)


def test_the_curve_is_a_picture(runs: dict[str, Run]) -> None:
    cell = next(cell for cell in runs["fine_tuning.py"].notebook.cells if cell.metadata.get("title") == "curve")
    assert any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_a_friendly_sentence_gets_many_stars_and_an_unfriendly_one_few(printed: Printed) -> None:
    friendly, _indifferent, unfriendly = printed("fine_tuning.py", "predict").splitlines()
    assert friendly.startswith(("4 stars", "5 stars"))
    assert unfriendly.startswith(("1 star ", "2 star "))


def test_the_saved_model_says_the_same(printed: Printed) -> None:
    assert printed("fine_tuning.py", "load") == "the saved model says the same: True\n"
