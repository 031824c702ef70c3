"""A cell runs only where what it needs is there."""

from __future__ import annotations

import pytest

from engine.values.needs import unmet

PACKAGES = {"transformers": "5.23.0", "huggingface_hub": "2.4.0"}


@pytest.mark.parametrize(
    ("needs", "npus", "missing"),
    [
        (["npu"], 0, "npu"),
        (["npu"], 1, ""),
        (["npu>=4"], 2, "npu>=4"),
        (["npu>=4"], 8, ""),
        (["transformers>=5", "huggingface-hub<2"], 1, "huggingface-hub<2"),
        (["trl"], 1, "trl"),
        ([], 0, ""),
    ],
)
def test_the_first_need_that_is_not_met(needs: list[str], npus: int, missing: str) -> None:
    assert unmet(needs, npus, PACKAGES) == missing
