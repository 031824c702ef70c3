"""What is exported is the fine-tuned model, whole, and the same from folder and hub."""

from __future__ import annotations

from collections.abc import Callable

Printed = Callable[[str, str], str]


def test_the_folder_has_all_that_serving_needs(printed: Printed) -> None:
    files = {line.split()[1] for line in printed("export.py", "files").splitlines()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= files
    assert not any(file.endswith((".bin", ".pt", ".pth")) for file in files)


def test_it_answers_as_taught_from_the_folder_and_from_the_hub(printed: Printed) -> None:
    before, merged = printed("export.py", "reload").strip().splitlines()
    taught = "torch.bfloat16 I am a Llama, tuned on Ascend."
    assert merged == f"merged: {taught}" and taught not in before
    assert printed("export.py", "pull").strip() == f"from the hub: {taught}"


def test_no_adapter_is_left_in_the_weights(printed: Printed) -> None:
    assert printed("export.py", "weights").endswith("none of them LoRA's\n")


def test_the_hub_has_the_same_files(printed: Printed) -> None:
    pushed = printed("export.py", "push").splitlines()
    assert set(printed("export.py", "files").splitlines()) <= set(pushed)
