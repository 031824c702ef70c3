"""The check of several cards on the install page ends well where they reach each other, and not where they do not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.getting_ready.conftest import Run

REPORT = json.loads(Path(os.environ["STANDINS_REPORT"]).read_text(encoding="utf-8"))
pytestmark = pytest.mark.skipif(REPORT["device"]["kind"] == "cpu", reason="there is no NPU, not even a virtual one")


def test_two_cards_sum_and_average(run: Run) -> None:
    done = run("hccl.sh")
    assert done.stdout == "2 cards: the sum of 1, 2, ... is 3, the mean of their gradients 1.5\n", done.stderr


def test_a_card_that_is_not_there_ends_in_its_error(run: Run) -> None:
    done = run("hccl.sh", ASCEND_RT_VISIBLE_DEVICES="0")
    assert done.returncode != 0 and "invalid device" in done.stdout.lower(), done.stdout + done.stderr
