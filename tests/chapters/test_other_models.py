"""Sizes are those that the models' pages give; each architecture trains, is saved and loaded again."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from standins.rehearsal.models import known

Printed = Callable[[str, str], str]


def test_parameters_are_the_models_own(printed: Printed) -> None:
    rows = dict(re.findall(r"^(\S+/\S+) +([\d.]+) B", printed("other_models.py", "sizes"), re.M))
    assert len(rows) == 6
    assert rows == {name: f"{known()[name].parameters / 1e9:.2f}" for name in rows}


@pytest.mark.parametrize("family", ["qwen2", "qwen3", "llama"])
def test_an_architecture_learns_and_is_the_same_when_loaded_again(printed: Printed, family: str) -> None:
    line = re.search(rf"^{family} +on (\S+): (.*)$", printed("other_models.py", "train"), re.M)
    assert line
    before, after, loaded = map(float, re.findall(r"\d+\.\d+", line[2]))
    assert after < before - 0.3 and loaded == after
