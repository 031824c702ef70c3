"""How much a training step costs on the virtual NPU, against the same step on plain CPU.

    python benchmarks/npu_step.py [--rounds 8] [--steps 5] [--model small|wide] [--json]

Two processes take turns, each with one thread, and train the same small Llama on the same batches; every round gives
one ratio of their times.  Both losses are printed: they have to be equal.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
MODELS: Mapping[str, Mapping[str, int]] = {
    # Overhead of the device: little arithmetic in each operator.
    "small": {"vocab_size": 1024, "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2},
    # As in the fine-tuning chapter: Llama 3's vocabulary, so that embedding and optimiser move many bytes.
    "wide": {"vocab_size": 128256, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2},
}
BATCH, LENGTH, CLASSES = 8, 64, 5


class Worker:
    """A process that trains a few steps whenever it is asked to."""

    def __init__(self, device: str, model: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker", device, "--model", model],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def train(self, steps: int) -> tuple[float, float]:
        """Seconds for these steps, and the last loss."""
        if not self._process.stdin or not self._process.stdout:
            raise RuntimeError("the worker has no pipes")
        print(steps, file=self._process.stdin, flush=True)
        seconds, loss = self._process.stdout.readline().split()
        return float(seconds), float(loss)

    def close(self) -> None:
        self._process.communicate()


def work(device: str, model_name: str) -> None:
    """The worker's side: read how many steps, answer with their time and the loss."""
    import torch
    from transformers import LlamaConfig, LlamaForSequenceClassification

    torch.set_num_threads(1)
    torch.manual_seed(0)
    sizes: dict[str, Any] = {**MODELS[model_name], "num_attention_heads": 4, "num_key_value_heads": 2}
    model = LlamaForSequenceClassification(LlamaConfig(**sizes, num_labels=CLASSES, pad_token_id=0)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    ids = torch.randint(1, 1000, (BATCH, LENGTH)).to(device)
    labels = torch.randint(0, CLASSES, (BATCH,)).to(device)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            loss = model(input_ids=ids, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        value = loss.item()
        print(time.perf_counter() - start, value, flush=True)


def compare(model: str, rounds: int, steps: int) -> list[tuple[float, float]]:
    """Milliseconds of a step on plain CPU and on the virtual NPU, round by round; empty where there is none."""
    sys.path.insert(0, str(ROOT))
    from standins import npu
    from standins.provision import home

    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        virtual = stack.enter_context(npu.provide(home(), scratch))
        if virtual.device is None or virtual.device.kind != "virtual-npu":
            return []
        os.environ["NPU"] = "off"
        cpu = stack.enter_context(npu.provide(home(), scratch))
        workers = {
            "cpu": Worker("cpu", model, cpu.applied(os.environ)),
            "npu": Worker("npu:0", model, virtual.applied(os.environ)),
        }
        for worker in workers.values():
            stack.callback(worker.close)
        times = []
        for number in range(rounds + 1):
            (cpu_seconds, cpu_loss), (npu_seconds, npu_loss) = (worker.train(steps) for worker in workers.values())
            if number == 0:  # loading, first allocation
                continue
            times.append((1000 * cpu_seconds / steps, 1000 * npu_seconds / steps))
            print(
                f"round {number}: cpu {times[-1][0]:7.1f} ms/step, virtual npu {times[-1][1]:7.1f} ms/step, "
                f"ratio {npu_seconds / cpu_seconds:.2f}, loss {cpu_loss:.6f} {npu_loss:.6f}",
                file=sys.stderr,
            )
        return times


def report(model: str, times: list[tuple[float, float]]) -> None:
    if not times:
        sys.exit("no virtual NPU here, so there is nothing to compare")
    ratios = [npu / cpu for cpu, npu in times]
    print(f"{model}: median ratio {statistics.median(ratios):.2f} (from {min(ratios):.2f} to {max(ratios):.2f})")


def as_rows(times: list[tuple[float, float]]) -> dict[str, list[float]]:
    """As ``make bench`` reads them."""
    return {name: [round(pair[n], 2) for pair in times] for n, name in enumerate(("step/cpu", "step/npu"))}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--steps", type=int, default=5, help="training steps in each round")
    parser.add_argument("--model", choices=MODELS, default="wide")
    parser.add_argument("--json", action="store_true", help="print the times of all rounds as JSON")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker, options.model)
    elif options.json:
        print(json.dumps(as_rows(compare(options.model, options.rounds, options.steps))))
    else:
        report(options.model, compare(options.model, options.rounds, options.steps))
