"""What the pages on several cards and on resuming promise: the same losses, however a training is run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

Printed = Callable[[str, str], str]


def losses(text: str) -> list[str]:
    return re.findall(r"^step \d+: loss [\d.]+$", text, re.MULTILINE)


@pytest.mark.parametrize("cell", ["two", "accelerate", "hosts"])
def test_two_cards_have_the_losses_of_one(cell: str, printed: Printed) -> None:
    one = losses(printed("distributed.sh", "one"))
    assert len(one) == 2 and losses(printed("distributed.sh", cell)) == one


def test_each_card_holds_half_of_a_sharded_model(printed: Printed) -> None:
    text = printed("distributed.sh", "fsdp")
    whole, *halves = sorted(
        (int(n.replace(",", "")) for n in re.findall(r"([\d,]+) parameters here", text)), reverse=True
    )
    assert len(halves) == 2 and sum(halves) == whole


def test_a_killed_training_resumes_to_what_it_would_have_been(printed: Printed) -> None:
    assert "exit status 137" in printed("resume.sh", "kill")
    resumed = printed("resume.sh", "resume")
    assert resumed.startswith("starting from checkpoints/checkpoint-40\n")
    whole = printed("resume_train.py", "losses")
    assert len(losses(whole)) == 3 and resumed.endswith(whole)


def test_half_a_checkpoint_is_refused(printed: Printed) -> None:
    assert "SafetensorError" in printed("resume.sh", "half")


def test_the_fused_optimizer_goes_astray_where_the_page_says(printed: Printed) -> None:
    right, also_right, fused, astray = re.findall(r"loss ([\d.]+)", printed("precision.py", "fused"))
    assert right == also_right == fused != astray
