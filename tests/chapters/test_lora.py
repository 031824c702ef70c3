"""Computed memory is measured memory; LoRA learns as well as training everything; merging changes nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

Printed = Callable[[str, str], str]


def test_the_8b_model_has_its_real_number_of_parameters(printed: Printed) -> None:
    assert printed("lora_memory.py", "llama_8b") == "8,030,261,248 parameters\n"


def test_only_what_trains_little_fits_a_card(printed: Printed) -> None:
    rows = printed("lora_memory.py", "memory").splitlines()[1:]
    totals = {row.partition(" ")[0] + row.split()[1]: float(row.split()[-1]) for row in rows}
    assert totals["everything,float32"] > 64 and totals["everything,bfloat16"] > 0.9 * 64
    assert totals["last_layer,bfloat16"] < 32 and totals["lora,bfloat16"] < 32


def test_measured_memory_is_computed_memory(printed: Printed) -> None:
    pairs = re.findall(r"measured +([\d.]+) MiB, computed +([\d.]+) MiB", printed("lora_memory.py", "check"))
    assert len(pairs) == 3
    for measured, computed in pairs:
        assert abs(float(measured) - float(computed)) < 0.01 * float(computed)


def test_lora_learns_as_much_with_far_less(printed: Printed) -> None:
    rows = [line.rsplit(maxsplit=4) for line in printed("lora_compare.py", "table").splitlines()[1:]]
    table = {way: (int(trained.replace(",", "")), float(peak), float(right)) for way, trained, peak, _, right in rows}
    everything, lora = table["everything"], table["LoRA"]
    assert lora[0] < 0.01 * everything[0] and lora[1] < 0.6 * everything[1]
    assert lora[2] > 0.35 and lora[2] > everything[2] - 0.03, "five classes, the commonest about a quarter"


def test_the_adapter_is_small(printed: Printed) -> None:
    size = re.search(r"adapter_model.safetensors +([\d.]+) MiB", printed("lora.py", "adapter"))
    assert size and float(size[1]) < 1


def test_merged_and_reloaded_models_give_the_same_logits(printed: Printed) -> None:
    differences = re.findall(r"largest difference (?:of the logits )?([\d.e+-]+)$", printed("lora.py", "merge"), re.M)
    differences += re.findall(r"largest difference ([\d.e+-]+)$", printed("lora.py", "reload"), re.M)
    assert len(differences) == 3 and all(float(difference) < 1e-5 for difference in differences)


def test_the_reloaded_models_tell_praise_from_blame(printed: Printed) -> None:
    for praise, blame in re.findall(r"stars \[(\d), (\d)\]", printed("lora.py", "reload")):
        assert int(praise) > 3 > int(blame)


def test_few_parameters_are_trained(printed: Printed) -> None:
    share = re.search(r"trainable%: ([\d.]+)", printed("lora.py", "lora"))
    assert share and 0 < float(share[1]) < 1
