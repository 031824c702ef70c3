"""Forked children, the profiler, and ranks that talk through HCCL."""

from __future__ import annotations

import json
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Program = Callable[..., CompletedProcess[str]]
HERE = Path(__file__).parent
SHARED_MEMORY = Path("/dev/shm")


def test_first_device_step_in_a_forked_child(program: Program) -> None:
    """As in the engine's fork server: imports before the fork, the device after it, in several children."""
    done = program("""
import multiprocessing
import torch, torch_npu, transformers
assert torch.npu.is_available()

def child(queue):
    layer = torch.nn.Linear(4, 2).npu()
    layer(torch.ones(3, 4).npu()).sum().backward()
    queue.put(layer.weight.grad.sum().item())

context = multiprocessing.get_context("fork")
queue = context.Queue()
children = [context.Process(target=child, args=(queue,)) for _ in range(2)]
for each in children: each.start()
print([queue.get(timeout=60) for _ in children])
for each in children: each.join()
""")
    assert done.stdout.strip() == "[24.0, 24.0]", done.stderr


def test_profiler_writes_a_trace(program: Program) -> None:
    done = program("""
import json, pathlib
import torch, torch_npu
from torch_npu.profiler import ProfilerActivity, profile, tensorboard_trace_handler
x = torch.ones(8, 8).npu()
both = [ProfilerActivity.CPU, ProfilerActivity.NPU]
with profile(activities=both, on_trace_ready=tensorboard_trace_handler("out")) as profiler:
    for _ in range(2):
        (x @ x).sum().item()
        profiler.step()
(trace,) = pathlib.Path("out").glob("*/ASCEND_PROFILER_OUTPUT/trace_view.json")
names = [event["name"] for event in json.loads(trace.read_text())]
print(names.count("aten::mm"), names.count("aten::sum"))
with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profiler:
    x @ x
print({event.key: event.count for event in profiler.key_averages()}["aten::mm"])
with torch.profiler.profile() as profiler:  # all that there is, the device among it
    x @ x
print({event.key: event.count for event in profiler.key_averages()}["aten::mm"])
""")
    assert done.stdout.splitlines()[-3:] == ["2 2", "1", "1"], done.stdout + done.stderr


@pytest.mark.parametrize("ranks", [2, 3, 4])
def test_collectives(program: Program, ranks: int) -> None:
    done = program("ranks.py", str(ranks), VIRTUAL_NPU_DEVICES="4")
    assert done.returncode == 0 and done.stdout.count("ok") == ranks, done.stdout + done.stderr
    assert not left_behind()


@pytest.mark.parametrize("queue", ["0", "1", "2"])
@pytest.mark.trial("HCCL with TASK_QUEUE_ENABLE other than 0: all_reduce returned 1.0 for 2.0, silently")
def test_collectives_wait_for_what_is_queued_and_what_follows_for_them(program: Program, queue: str) -> None:
    """Sums over two cards are right with 0, 1 and 2.

    1 is torch_npu's default, 2 what Ascend's guides recommend; only with 0 the calling thread does all itself.
    """
    done = program("ranks.py", "2", TASK_QUEUE_ENABLE=queue)
    assert done.returncode == 0 and done.stdout.count("ok") == 2, done.stdout + done.stderr
    assert not left_behind()


def test_ranks_meet_by_a_rank_table(program: Program, tmp_path: Path) -> None:
    """Where they meet is told by the table, and is the same each time; without one it is a new place each time."""
    table = tmp_path / "ranktable.json"
    devices = [{"device_id": str(rank), "rank_id": str(rank)} for rank in range(2)]
    servers = [{"server_id": "one", "device": devices}]
    text = {"version": "1.0", "status": "completed", "server_count": "1", "server_list": servers}
    table.write_text(json.dumps(text), encoding="utf-8")
    ways = {"RANK_TABLE_FILE": str(table)}, {"RANK_TABLE_FILE": str(table)}, {}
    first, second, other = (program("ranks.py", "2", "named", **way).stdout.strip() for way in ways)
    assert first == second != other and first
    assert not left_behind()
    # What a killed job left, two ranks of it counted as arrived, is no place to meet.
    left = SHARED_MEMORY / first
    left.write_bytes(struct.pack("II", 1, 0) + bytes(32 << 20))
    assert program("ranks.py", "2", "named", **ways[0], HCCL_EXEC_TIMEOUT="60").stdout.strip() == first
    assert not left_behind()


def test_trainer_under_torchrun(tmp_path: Path) -> None:
    """Two ranks train what one process trains with twice the batch."""
    script = tmp_path / "train.py"
    script.write_text("""
import os, sys, torch
from transformers import LlamaConfig, LlamaForCausalLM, Trainer, TrainingArguments
config = LlamaConfig(vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                     num_key_value_heads=2, pad_token_id=0)
ids = torch.randint(2, 64, (8, 16), generator=torch.Generator().manual_seed(0))
torch.manual_seed(0)
arguments = TrainingArguments("out", max_steps=3, per_device_train_batch_size=int(sys.argv[1]), logging_steps=1,
                              report_to=[], save_strategy="no", disable_tqdm=True, learning_rate=1e-2)
trainer = Trainer(LlamaForCausalLM(config), arguments, train_dataset=[{"input_ids": x, "labels": x} for x in ids])
trainer.train()
if trainer.is_world_process_zero():
    print("RESULT", arguments.world_size, arguments.parallel_mode.name, torch.npu.current_device(),
          [round(float(e["loss"]), 4) for e in trainer.state.log_history if "loss" in e])
""")
    results = []
    for command in (["torch.distributed.run", "--standalone", "--nproc_per_node=2", script, "2"], [None, script, "4"]):
        module, *rest = command
        python = [sys.executable, *(["-m", module] if module else []), *map(str, rest)]
        done = subprocess.run(python, cwd=tmp_path, env=dict(os.environ), capture_output=True, text=True, timeout=120)
        (line,) = [line for line in done.stdout.splitlines() if line.startswith("RESULT")] or [done.stderr]
        results.append(line.split(maxsplit=4))
    assert results[0][1:4] == ["2", "DISTRIBUTED", "0"] and results[1][1] == "1", results
    assert eval(results[0][4]) == pytest.approx(eval(results[1][4]), abs=1e-3)
    assert not left_behind()


def test_the_others_learn_that_a_rank_was_killed(program: Program) -> None:
    done = program("ranks.py", "2", "killed", HCCL_EXEC_TIMEOUT="60")
    assert "has ended" in done.stdout, done.stdout + done.stderr
    assert not left_behind()


def test_ranks_that_do_not_ask_for_the_same_are_told_so(program: Program) -> None:
    """As HCCL compares it; what came of it would be wrong, and longer on one rank than there is to read."""
    done = program("ranks.py", "2", "odds", HCCL_EXEC_TIMEOUT="60")
    told = r"ask for different things: rank 0 HcclAllReduce \(12 bytes, .*rank 1 (\w+) \((\d+) bytes"
    differences = [("HcclAllReduce", "16"), ("HcclAllReduce", "6"), ("HcclBroadcast", "12")]
    assert sorted(re.findall(told, done.stdout)) == sorted(2 * differences), done.stdout + done.stderr
    assert not left_behind()


def left_behind() -> list[Path]:
    """Shared memory of this session."""
    return list(SHARED_MEMORY.glob(f"{os.environ['VIRTUAL_NPU_SESSION']}-*"))
