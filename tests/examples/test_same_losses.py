"""What the pages on several cards and on resuming promise: the same losses, however a training is run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

Printed = Callable[[str, str], str]


def losses(text: str) -> list[str]:
    return re.findall(r"^step \d+: loss [\d.]+$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("example", "cell"),
    [
        ("distributed.sh", "two"),
        ("distributed.sh", "four"),
        ("distributed.sh", "hosts"),
        ("sharding.sh", "fsdp_trainer"),
        ("sharding.sh", "zero2"),
    ],
)
def test_several_cards_have_the_losses_of_one(example: str, cell: str, printed: Printed) -> None:
    one = losses(printed("distributed.sh", "one"))
    assert len(one) == 2 and losses(printed(example, cell)) == one


def test_each_process_has_a_card_of_its_own(printed: Printed) -> None:
    places = re.findall(r"^process (\d) on npu:(\d)$", printed("distributed.sh", "four"), re.MULTILINE)
    assert places == [(str(card), str(card)) for card in range(4)]


def test_cards_that_meet_by_a_rank_table_reach_each_other(printed: Printed) -> None:
    assert printed("distributed.sh", "ranktable") == "2 cards, the sum of 1, 2, ... is 3\n"


def test_sharding_keeps_less_on_each_card(printed: Printed) -> None:
    kept = {}
    for example, cell in (("distributed.sh", "two"), ("sharding.sh", "zero2"), ("sharding.sh", "fsdp_trainer")):
        numbers = re.search(r"on each card: \[(\d+), (\d+)\]", printed(example, cell))
        assert numbers
        kept[cell] = max(map(int, numbers.groups()))
    assert kept["fsdp_trainer"] < kept["zero2"] < kept["two"]


def test_four_cards_hold_a_quarter_each_and_lose_nothing(printed: Printed) -> None:
    text = printed("sharding.sh", "fsdp_loop")
    whole, quarter = (int(number.replace(",", "")) for number in re.findall(r"([\d,]+) parameters", text))
    assert whole == 4 * quarter
    one, four = re.findall(r"loss ([\d.]+)", text)
    assert one == four


def test_the_best_model_is_kept_and_loaded(printed: Printed) -> None:
    text = printed("best_model.py", "best")
    accuracies = {step: float(right) for step, right in re.findall(r"^step +(\d+): accuracy ([\d.]+)", text, re.M)}
    best, last = max(accuracies, key=lambda step: accuracies[step]), list(accuracies)[-1]
    assert best != last, "the page says that the last model is not the best one"
    assert f"best: checkpoints/checkpoint-{best}\n" in text
    assert f"the model in memory: {accuracies[best]:.4f}\n" in text
    folders = re.findall(r"^checkpoints/checkpoint-(\d+):", printed("best_model.py", "disk"), re.MULTILINE)
    assert set(folders) == {best, last}


def test_padding_to_the_longest_computes_less(printed: Printed) -> None:
    fixed, longest, grouped = map(int, re.findall(r": (\d+) tokens", printed("padding.py", "padding")))
    assert grouped < longest < fixed == 320 * 128


def test_recomputing_and_fused_attention_save_memory(printed: Printed) -> None:
    kept, recomputed = re.findall(r"loss ([\d.]+), (\d+) MiB", printed("memory.py", "checkpointing"))
    assert kept[0] == recomputed[0] and int(recomputed[1]) < int(kept[1])
    eager, sdpa = map(int, re.findall(r"(\d+) MiB", printed("memory.py", "attention")))
    assert sdpa < eager / 2
    differences = list(map(float, re.findall(r"by ([\d.]+)", printed("memory.py", "flash"))))
    assert len(differences) == 3 and max(differences) < 0.02


def test_growing_tensors_leave_fragments(printed: Printed) -> None:
    largest, allocated, reserved, after = map(int, re.findall(r"(\d+) MiB", printed("memory.py", "fragments")))
    assert reserved > 5 * largest > allocated and after < largest


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
