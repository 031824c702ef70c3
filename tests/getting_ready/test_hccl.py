"""The check of several cards on the install page does not end well where a card is missing, and says which."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.getting_ready.conftest import Run

REPORT = json.loads(Path(os.environ["STANDINS_REPORT"]).read_text(encoding="utf-8"))


@pytest.mark.skipif(REPORT["device"]["kind"] == "cpu", reason="there is no NPU, not even a virtual one")
def test_a_card_that_is_not_there_is_named(run: Run) -> None:
    done = run("hccl.sh", ASCEND_RT_VISIBLE_DEVICES="0")
    assert done.returncode != 0 and "local_rank: 1" in done.stdout, done.stdout + done.stderr
