"""What is exported is the fine-tuned model, whole, and the same from folder and hub."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from huggingface_hub import snapshot_download

EXAMPLE = Path(__file__).parents[2] / "examples/export.py"
Printed = Callable[[str, str], str]


def test_the_folder_has_all_that_serving_needs(printed: Printed) -> None:
    files = {line.split()[1] for line in printed("export.py", "files").splitlines()}
    assert {"model.safetensors", "config.json", "generation_config.json", "tokenizer.json"} <= files
    assert not any(file.endswith((".bin", ".pt", ".pth")) for file in files)


def test_it_answers_as_taught_from_the_folder_and_from_the_hub(printed: Printed) -> None:
    before, merged = printed("export.py", "reload").strip().splitlines()
    taught = "torch.bfloat16 I am a Llama, tuned on Ascend."
    assert merged == f"merged: {taught}" and taught not in before
    assert printed("export.py", "originals").strip() == f"with the original files: {taught}"
    assert printed("export.py", "pull").strip() == f"from the hub: {taught}"


def test_no_adapter_is_left_in_the_weights(printed: Printed) -> None:
    assert printed("export.py", "weights").endswith("none of them LoRA's\n")


def test_the_hub_has_the_same_files(printed: Printed) -> None:
    pushed = printed("export.py", "push").splitlines()
    assert set(printed("export.py", "files").splitlines()) <= set(pushed)


def test_it_begins_from_the_adapter_of_any_run(tmp_path: Path) -> None:
    """In an empty folder with nothing but an adapter; what it was trained for is kept, and nothing trained."""
    tune = "\n".join(
        (
            "import torch",
            "from peft import LoraConfig, get_peft_model",
            "from transformers import AutoModelForCausalLM",
            "torch.manual_seed(0)",
            "model = AutoModelForCausalLM.from_pretrained('HuggingFaceTB/SmolLM2-135M-Instruct', dtype=torch.bfloat16)",
            "lora = LoraConfig(task_type='CAUSAL_LM', target_modules=['v_proj'], init_lora_weights=False)",
            "get_peft_model(model, lora).save_pretrained('adapter')",
        )
    )
    upto = EXAMPLE.read_text(encoding="utf-8").partition("# %% push")[0]  # the hub is shared by all tests
    (tmp_path / EXAMPLE.name).write_text(upto, encoding="utf-8")
    for program in (["-c", tune], [EXAMPLE.name]):
        done = subprocess.run([sys.executable, *program], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
    assert not (tmp_path / "trainer").exists() and "I am a Llama, tuned on Ascend." not in done.stdout
    assert "none of them LoRA's" in done.stdout
    before, merged, with_originals = re.findall(r"^(?:before|merged|with the original files): (.*)$", done.stdout, re.M)
    assert before != merged == with_originals
    model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
    base = Path(snapshot_download(model_id, allow_patterns="*.json", local_files_only=True))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):  # as transformers 4 reads them too
        assert (tmp_path / "merged" / name).read_bytes() == (base / name).read_bytes()
