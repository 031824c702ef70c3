"""What the pages on several cards and on resuming promise: the same losses, however a training is run."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

Printed = Callable[[str, str], str]
SHARDED = {"fsdp_trainer": "fsdp", "zero2": "zero2", "zero3": "zero3"}
"""Cells that train, and the folders in which they leave the model."""


def losses(text: str) -> list[str]:
    return re.findall(r"^step \d+: loss [\d.]+$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("example", "cell"),
    [
        ("distributed.sh", "two"),
        ("distributed.sh", "accelerate"),
        ("sharding.sh", "fsdp_trainer"),
        ("sharding.sh", "zero2"),
        ("sharding.sh", "zero3"),
    ],
)
def test_several_cards_have_the_losses_of_one(example: str, cell: str, printed: Printed) -> None:
    one = losses(printed("distributed_train.py", "train"))
    assert len(one) == 2 and losses(printed(example, cell)) == one


def test_each_process_has_a_card_of_its_own(printed: Printed) -> None:
    places = re.findall(r"^process (\d) on npu:(\d)$", printed("distributed.sh", "two"), re.MULTILINE)
    assert places == [("0", "0"), ("1", "1")]


@pytest.mark.parametrize("cell", ["hosts", "ranktable"])
def test_cards_of_two_hosts_or_of_a_rank_table_reach_each_other(printed: Printed, cell: str) -> None:
    assert printed("distributed.sh", cell) == "2 cards, the sum of 1, 2, ... is 3\n"


def test_the_check_of_the_install_page_sums_and_averages_over_cards(printed: Printed) -> None:
    assert printed("hccl.sh", "two") == "2 cards: the sum of 1, 2, ... is 3, the mean of their gradients 1.5\n"


def test_sharding_keeps_less_on_each_card(printed: Printed) -> None:
    kept = {}
    sharded = [("sharding.sh", cell) for cell in SHARDED]
    for example, cell in [("distributed.sh", "two"), *sharded]:
        numbers = re.search(r"on each card: \[(\d+), (\d+)\]", printed(example, cell))
        assert numbers
        kept[cell] = max(map(int, numbers.groups()))
    assert max(kept.values()) == kept["two"] > max(kept[cell] for cell in SHARDED)


def test_what_several_cards_saved_answers_the_same_when_loaded(printed: Printed) -> None:
    stars = {cell: re.findall(r"^stars: (.*)$", printed("sharding.sh", cell), re.M) for cell in SHARDED}
    again = dict(re.findall(r"^trained_(\w+), loaded again: stars: (.*)$", printed("sharding.sh", "reload"), re.M))
    assert [again[folder] for folder in SHARDED.values()] == [stars[cell][0] for cell in SHARDED]
    two = re.search(r"^stars: (.*)$", printed("distributed.sh", "two"), re.M)
    assert two and printed("distributed.sh", "reload") == f"trained, loaded again: stars: {two[1]}\n"


def steps(text: str, cards: int) -> dict[str, float]:
    """The losses that ``fsdp_train.py`` printed on so many cards."""
    found = re.findall(rf"^{cards} card\(s\), step (\d): loss ([\d.]+)$", text, re.M)
    return {step: float(loss) for step, loss in found}


def test_two_cards_hold_half_each_and_lose_nothing(printed: Printed) -> None:
    text = printed("sharding.sh", "fsdp_loop")
    text += "".join(printed("fsdp_train.py", cell) for cell in ("train", "memory", "reload"))
    half, whole = (int(number.replace(",", "")) for number in re.findall(r"([\d,]+) parameters", text))
    assert whole == 2 * half
    assert steps(text, 2) == pytest.approx(steps(text, 1), abs=0.02) and len(steps(text, 1)) == 4
    exported = re.findall(r"^loss ([\d.]+) after training, ([\d.]+) of what was exported$", text, re.M)
    assert len(exported) == 2
    for trained, again in exported:
        assert float(again) == pytest.approx(float(trained), abs=0.02)


def test_one_card_goes_on_where_two_ended(printed: Printed) -> None:
    whole = steps(printed("sharding.sh", "fsdp_loop"), 2)
    resumed = steps(printed("sharding.sh", "fsdp_resume"), 1)
    assert resumed == pytest.approx({step: whole[step] for step in "34"}, abs=0.02)


def test_lora_on_two_cards_goes_on_as_if_never_interrupted(printed: Printed) -> None:
    first, resumed = printed("several_cards.sh", "lora"), printed("several_cards.sh", "resume")
    assert first.startswith("from the beginning") and resumed.startswith("from checkpoints/checkpoint-2,")
    for text in (first, resumed):
        assert "on [['npu:0'], ['npu:1']]\n" in text
    assert re.findall(r"^step \d: \w+ .*$|^best: .*$", first, re.M) == re.findall(
        r"^step \d: \w+ .*$|^best: .*$", resumed, re.M
    )


def test_the_best_adapter_loads_on_one_card(printed: Printed) -> None:
    several, one = re.findall(
        r"eval_loss ([\d.]+) on all cards, ([\d.]+) on one", printed("several_cards.sh", "resume")
    )[0]
    assert abs(float(several) - float(one)) < 0.02


def test_a_model_over_two_cards_answers_as_on_one(printed: Printed) -> None:
    assert "Paris" in printed("device_map.py", "whole")
    assert printed("device_map.py", "split") == printed("device_map.py", "whole")
    assert re.findall(r"^(npu:\d): ", printed("device_map.py", "map"), re.M) == ["npu:0", "npu:1"]


def test_the_best_model_is_kept_and_loaded(printed: Printed) -> None:
    text = printed("best_model.py", "best")
    found = {step: float(loss) for step, loss in re.findall(r"^step +(\d+): loss ([\d.]+)", text, re.M)}
    best, last = min(found, key=lambda step: found[step]), list(found)[-1]
    assert best != last, "the page says that the last model is not the best one"
    assert f"best: checkpoints/checkpoint-{best}\n" in text
    assert f"the model in memory: loss {found[best]:.4f}\n" in text
    assert printed("best_model.py", "load") == f"the loaded model: loss {found[best]:.4f}\n"
    folders = re.findall(r"^checkpoints/checkpoint-(\d+):", printed("best_model.py", "disk"), re.MULTILINE)
    assert set(folders) == {best, last}


def test_padding_to_the_longest_computes_less(printed: Printed) -> None:
    fixed, longest, grouped = map(int, re.findall(r": (\d+) tokens", printed("padding.py", "padding")))
    assert grouped < longest < fixed == 320 * 256


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
    assert resumed.startswith("starting from checkpoints/checkpoint-20\n")
    whole = printed("resume_train.py", "losses")
    assert len(losses(whole)) == 3 and resumed.endswith(whole)


def test_half_a_checkpoint_is_refused(printed: Printed) -> None:
    assert "SafetensorError" in printed("resume.sh", "half")


def test_the_fused_optimizer_goes_astray_where_the_page_says(printed: Printed) -> None:
    right, also_right, fused, astray = re.findall(r"loss ([\d.]+)", printed("precision.py", "fused"))
    assert right == also_right == fused != astray
