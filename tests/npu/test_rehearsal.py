"""A rehearsal counts what the computing device counts, and refuses what a card has no room for."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from math import prod
from pathlib import Path

import pytest
from transformers import AutoConfig, AutoModelForCausalLM

from standins.rehearsal import command
from standins.rehearsal.models import Model, from_config, known

GIB = 1 << 30
EIGHT_B = "meta-llama/Meta-Llama-3-8B-Instruct"
STATISTICS = 3 * 2 * (2 * 8 * 96) * 8 * 4  # bytes: layers, maximum and sum, rows, eight times as float32
TRIANGLES = 2 * 2048 * 2048  # the compressed causal mask of torch_npu's attention, and ones to make it of

TRAIN = """
model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
import torch
from pathlib import Path
from datasets import Dataset
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM, AutoTokenizer, DataCollatorForLanguageModeling as Collator
from transformers import Trainer, TrainingArguments

tokenizer = AutoTokenizer.from_pretrained(model_id)
print("TOKENIZER", len(tokenizer), tokenizer.pad_token)
if tokenizer.pad_token is None:
    tokenizer.pad_token = tokenizer.eos_token
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to("npu")
print("WEIGHTS", torch.npu.memory_allocated())
model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=16, target_modules="all-linear"))
model.enable_input_require_grads()
rows = Dataset.from_list([{"input_ids": [5] * length} for length in range(LENGTH - 63, LENGTH + 1)])
arguments = TrainingArguments(
    "out", bf16=True, per_device_train_batch_size=BATCH, gradient_accumulation_steps=16, report_to=[], logging_steps=1,
    gradient_checkpointing=True, gradient_checkpointing_kwargs={"use_reentrant": False}, save_strategy="no",
)
trainer = Trainer(model, arguments, train_dataset=rows, data_collator=Collator(tokenizer, mlm=False))
trainer.train()
"""
SAVE = """
print("STEPS", trainer.state.global_step, "PEAK", torch.npu.max_memory_allocated())
torch.npu.reset_peak_memory_stats()
model.merge_and_unload().save_pretrained("merged")
files = list(Path("merged").glob("*.safetensors"))
print("SAVED", sum(file.stat().st_size for file in files), sum(file.stat().st_blocks * 512 for file in files))
again = AutoModelForCausalLM.from_pretrained("merged", dtype=torch.bfloat16)
print("AGAIN", again.num_parameters())
"""


def statistics(**variables: str) -> dict[str, dict[str, int]]:
    """What the allocator says of the ways in ``rehearsed.py``."""
    program = [sys.executable, str(Path(__file__).with_name("rehearsed.py"))]
    done = subprocess.run(program, env={**os.environ, **variables}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, int]] = json.loads(done.stdout)
    return found


def test_counts_as_the_computing_device_does() -> None:
    """To the byte.  Only attention differs: here it is computed as on the CPU, and rehearsed as torch_npu has it."""
    computed, rehearsed = statistics(), statistics(VIRTUAL_NPU_SIZES_ONLY="1")
    for way, counted in computed.items():
        if not way.startswith("fused attention"):
            assert rehearsed[way] == counted, way
            continue
        more = rehearsed[way]["allocated_bytes.all.peak"] - counted["allocated_bytes.all.peak"]
        assert 0 <= more <= STATISTICS + TRIANGLES, way


def rehearse(folder: Path, program: str, *options: str) -> tuple[dict[str, object], str]:
    """The report, and what was printed."""
    file, report = folder / "train.py", folder / "report.json"
    file.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "standins", "--rehearse", "--report", str(report), *options, str(file)],
        cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert report.exists(), done.stderr
    found: dict[str, object] = json.loads(report.read_text(encoding="utf-8"))
    assert done.returncode == (0 if found["fits"] else 1), done.stderr
    return found, done.stdout


def test_8b_is_trained_saved_and_loaded_at_its_true_size(tmp_path: Path) -> None:
    program = (TRAIN + SAVE).replace("LENGTH", "2048").replace("BATCH", "1")
    report, printed = rehearse(tmp_path, program, "--model", EIGHT_B)
    said = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line}
    parameters = known()[EIGHT_B].parameters
    assert report["fits"] and not report["out_of_memory"], printed
    assert int(said["WEIGHTS"][0]) == pytest.approx(2 * parameters, rel=1e-4)
    assert said["TOKENIZER"] == ["128256", "None"], "Meta's own, which has no padding"
    assert said["STEPS"][0] == "2" and "training ended after 2 optimizer steps" in str(report["notes"])
    ((card,),) = [report["cards"]]  # type: ignore[misc]
    assert card["number"] == 0 and card["allocated"] == int(said["STEPS"][2])  # a reset does not make it forget
    lora = 41_943_040  # parameters of rank 16 in all linear layers; weights, gradients and AdamW's state in float32
    assert 2 * parameters + 16 * lora < card["allocated"] < card["reserved"] < 22 * GIB
    size, on_disk = map(int, said["SAVED"])
    assert size > 2 * parameters and on_disk < 10e6
    assert said["AGAIN"] == [str(parameters)]
    assert "no computation" in printed and "can not know" in printed
    assert not list(tmp_path.glob("merged")), "the rehearsal works in a folder of its own"


def test_a_batch_too_large_ends_with_the_allocators_own_words_and_the_line(tmp_path: Path) -> None:
    program = TRAIN.replace("LENGTH", "4096").replace("BATCH", "16")
    report, printed = rehearse(tmp_path, program, "--model", EIGHT_B, "--card", "60.97")
    assert not report["fits"]
    assert str(report["out_of_memory"]).startswith("NPU out of memory. Tried to allocate")
    assert "60.97 GiB total capacity" in str(report["out_of_memory"])
    line = program.splitlines().index("trainer.train()") + 1
    assert report["where"] == f"train.py:{line}" and f"train.py:{line}: NPU out of memory" in printed


def test_rows_are_as_long_as_a_program_cuts_them(tmp_path: Path) -> None:
    program = """
from datasets import load_dataset
for split in load_dataset("Yelp/yelp_review_full").values():
    print("LONG", sum(len(text) > 4000 for text in split["text"]) / len(split), max(map(len, split["text"])))
"""
    report, printed = rehearse(tmp_path, program)
    said = [line.split()[1:] for line in printed.splitlines() if line.startswith("LONG")]
    assert [round(float(share), 2) for share, _ in said] == [0.25, 0.25]
    assert all(int(longest) <= 5000 for _, longest in said)
    assert not report["fits"] and "no card was used" in printed


def test_generation_counts_the_cache_of_all_its_tokens(tmp_path: Path) -> None:
    """With a config.json of one's own.  A few tokens run; a layer's cache of one token: keys and values of 8 heads of
    128 numbers, two bytes each."""
    program = """
model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
import torch
from transformers import AutoModelForCausalLM
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.bfloat16).to("npu").eval()
shapes = [line for line in torch._C._dispatch_dump("aten::mul.Tensor").splitlines() if line.startswith("Meta:")]
print("SHAPES", *shapes)
print("LAYERS", model.config.model_type, model.config.num_hidden_layers)
weights = torch.npu.memory_allocated()
ids = torch.ones(4, 32, dtype=torch.long, device="npu")
model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=4000, do_sample=False)
print("CACHE", torch.npu.max_memory_allocated() - weights)
"""
    config = tmp_path / "my-qwen/config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({**known()["Qwen/Qwen3-0.6B"].config, "num_hidden_layers": 20}), encoding="utf-8")
    report, printed = rehearse(tmp_path, program, "--model", str(config))
    (line,) = (line for line in printed.splitlines() if line.startswith("CACHE"))
    assert "LAYERS qwen3 20\n" in printed
    assert re.search(r"SHAPES Meta: registered at \S+/RegisterMeta", printed), "compiled, and not Python's"
    cache = 20 * 2 * 8 * 128 * 2 * 4 * 4032
    assert report["fits"] and cache < int(line.split()[1]) < 1.15 * cache


def test_downloads_take_no_room(tmp_path: Path) -> None:
    program = """
import huggingface_hub, modelscope
from pathlib import Path
for folder in (
    modelscope.snapshot_download("LLM-Research/Llama-3.2-1B-Instruct"),
    huggingface_hub.snapshot_download("meta-llama/Llama-3.2-1B-Instruct"),
    huggingface_hub.snapshot_download("meta-llama/Llama-3.2-1B-Instruct", local_dir="here"),
):
    (file,) = Path(folder).glob("*.safetensors")
    print("FILE", file.stat().st_size, file.stat().st_blocks * 512)
"""
    _, printed = rehearse(tmp_path, program)
    files = [list(map(int, line.split()[1:])) for line in printed.splitlines() if line.startswith("FILE")]
    assert len(files) == 3
    for size, on_disk in files:
        assert size > 2 * known()["meta-llama/Llama-3.2-1B-Instruct"].parameters and on_disk < 3e6


def test_fsdp_shares_a_model_between_two_cards(tmp_path: Path) -> None:
    program = """
model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
import os, torch
import torch.distributed as dist
from torch.distributed.fsdp import fully_shard
from transformers import AutoConfig, AutoModelForCausalLM
torch.npu.set_device(int(os.environ["LOCAL_RANK"]))
dist.init_process_group("hccl")
with torch.device("meta"):
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(model_id), dtype=torch.float32)
for layer in model.model.layers:
    fully_shard(layer)
fully_shard(model)
model.to_empty(device="npu")
print("MODEL", torch.npu.memory_allocated())
optimizer = torch.optim.AdamW(model.parameters())
ids = torch.ones(1, 512, dtype=torch.long, device="npu")
for _ in range(2):
    model(input_ids=ids, labels=ids, use_cache=False).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
dist.destroy_process_group()
"""
    report, printed = rehearse(tmp_path, program, "--cards", "2", "--model", "meta-llama/Llama-3.2-1B-Instruct")
    share = 2 * known()["meta-llama/Llama-3.2-1B-Instruct"].parameters  # bytes: half of four for each
    assert report["fits"], printed
    assert [int(number) for number in re.findall(r"MODEL (\d+)", printed)] == [pytest.approx(share, rel=1e-3)] * 2
    cards: list[dict[str, int]] = report["cards"]  # type: ignore[assignment]
    assert [card["number"] for card in cards] == [0, 1]
    assert all(4 * share < card["allocated"] < 8 * share for card in cards)  # with gradients and AdamW's state


@pytest.mark.parametrize("model", known().values(), ids=lambda model: model.id)
def test_shapes_are_those_of_transformers(model: Model, tmp_path: Path) -> None:
    assert sum(prod(tensor.shape) for tensor in model.tensors()) == model.parameters
    if model.id not in ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3-8B", "meta-llama/Llama-3.2-1B-Instruct", EIGHT_B):
        return
    model.write(tmp_path / "model")
    import torch

    with torch.device("meta"):
        made = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(tmp_path / "model"))
    shapes = {name: tuple(tensor.shape) for name, tensor in made.state_dict().items()}
    if made.config.tie_word_embeddings:
        del shapes["lm_head.weight"]
    assert {tensor.name: tensor.shape for tensor in model.tensors()} == shapes
    files = list((tmp_path / "model").glob("*.safetensors"))
    assert sum(file.stat().st_size for file in files) > 2 * model.parameters
    assert sum(file.stat().st_blocks * 512 for file in files) < 1e6


def test_what_can_not_be_rehearsed_is_said_in_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "train.py"
    for text, wrong in (("", "has 0 lines"), ('model_id = "a"\nmodel_id = "b"\n', "has 2 lines")):
        with pytest.raises(ValueError, match=wrong):
            command.with_model(text, EIGHT_B, file)
    assert (
        command.with_model('x = 1\nmodel_id = "a"  # one\n', EIGHT_B, file) == f'x = 1\nmodel_id = "{EIGHT_B}"  # one\n'
    )
    with pytest.raises(ValueError, match="shapes of someone/else are not known: give the path"):
        command.identity("someone/else")
    config = tmp_path / "config.json"
    config.write_text('{"model_type": "mamba"}', encoding="utf-8")
    with pytest.raises(ValueError, match="of model_type 'mamba'"):
        from_config(config)
    with pytest.raises(ValueError, match="does not exist"):
        command.copied(tmp_path / "none.py", tmp_path / "work", "")


def test_cards_reach_torchrun() -> None:
    assert command.parsed(["lora.py"]) == command.Rehearsal(("lora.py",))
    several = command.parsed(["--cards", "4", "--card", "32", "train.py", "--rate", "1e-4"])
    assert (several.command, several.cards, several.card_gib) == (("train.py", "--rate", "1e-4"), 4, 32)
    assert command.launcher(1) == [sys.executable] and command.launcher(4)[-1] == "4"


def test_a_program_runs_beside_copies_of_its_files_in_a_folder_of_its_own(tmp_path: Path) -> None:
    mine, work = tmp_path / "mine", tmp_path / "work"
    mine.mkdir()
    (mine / "train.py").write_text('model_id = "a"\n', encoding="utf-8")
    (mine / "rows.jsonl").write_text("{}\n", encoding="utf-8")
    asked = command.parsed(["--model", EIGHT_B, "--cards", "2", "torchrun", str(mine / "train.py"), "--rate", "1"])
    assert command.with_copy(asked, work) == ["torchrun", str(work / "train.py"), "--rate", "1"]
    assert (work / "train.py").read_text(encoding="utf-8") == f'model_id = "{EIGHT_B}"\n'
    assert (work / "rows.jsonl").exists()
    with pytest.raises(ValueError, match=r"no FILE\.py in: python -m this"):
        command.with_copy(command.parsed(["python", "-m", "this"]), work)
