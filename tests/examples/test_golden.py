"""A recorded number is compared only where its example and its cell still exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.session import GOLDEN
from engine.values.example import read
from engine.values.golden import Golden

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.mark.parametrize("path", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_recorded_numbers_belong_to_cells(path: Path) -> None:
    example = read(EXAMPLES / path.name.removesuffix(".json"))
    facts = Golden(GOLDEN).facts(example.name)
    assert facts and {fact.cell for fact in facts} <= {cell.name for cell in example.cells}
