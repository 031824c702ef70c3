"""Computed memory is measured memory; LoRA teaches a form, and loading and merging change no answer."""

from __future__ import annotations

import json
import re
from ast import literal_eval
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
        assert abs(float(measured) - float(computed)) < 0.02 * float(computed)


def test_activations_are_most_of_it_until_they_are_recomputed(printed: Printed) -> None:
    found = re.findall(r"^(\S+, \S+?)(, checkpointing)? +([\d.]+) GiB", printed("lora_memory.py", "activations"), re.M)
    gib = {way + checkpointing: float(size) for way, checkpointing, size in found}
    assert gib["lora, bfloat16"] > 15 and gib["lora, bfloat16, checkpointing"] < gib["lora, bfloat16"] / 4


def test_lora_is_as_accurate_as_four_layers_with_less_memory(printed: Printed) -> None:
    rows = [line.rsplit(maxsplit=3) for line in printed("lora_compare.py", "table").splitlines()[1:]]
    table = {way: (int(trained.replace(",", "")), float(peak), float(right)) for way, trained, peak, right in rows}
    layers, lora, head = table["four layers"], table["LoRA"], table["head alone"]
    assert lora[0] < 0.1 * layers[0] and lora[1] < layers[1] and head[1] < layers[1]
    assert min(layers[2], lora[2], head[2]) > 0.35, "five classes, the commonest about a quarter"
    assert abs(lora[2] - layers[2]) < 0.1 and head[2] > lora[2] - 0.08, "the page says that they tie"


def test_it_learns_to_answer_in_json(printed: Printed) -> None:
    assert '"sentiment"' not in printed("lora.py", "before")
    *answers, score = printed("lora.py", "after").splitlines()
    assert answers and all(set(json.loads(literal_eval(line.split(" -> ")[1]))) == {"sentiment"} for line in answers)
    right = re.search(r": (\d) of 8$", score)
    assert right and int(right[1]) >= 5


def test_the_loss_falls(printed: Printed) -> None:
    losses = [float(loss) for loss in re.findall(r": loss ([\d.]+)", printed("lora.py", "train"))]
    assert losses[-1] < losses[0] / 4


def test_the_adapter_is_small(printed: Printed) -> None:
    size = re.search(r"adapter_model.safetensors +([\d.]+) MiB", printed("lora.py", "adapter"))
    assert size and float(size[1]) < 20


def test_loaded_again_and_merged_it_answers_the_same(printed: Printed) -> None:
    assert printed("lora.py", "reload") == "the same answers: True\n"
    assert printed("lora.py", "merge") == "LlamaForCausalLM the same answers: True\n"


def test_few_parameters_are_trained(printed: Printed) -> None:
    share = re.search(r"trainable%: ([\d.]+)", printed("lora.py", "lora"))
    assert share and 0 < float(share[1]) < 5
