"""Tells what the allocator has counted: one JSON file for each process that used a card, in the folder REHEARSAL names.

{"rank": 0, "cards": {"0": {"allocated": bytes, "reserved": bytes, "refused": times}},
 "out_of_memory": "NPU out of memory. Tried ...", "where": "lora.py:63", "notes": ["...", ...]}
"""

from __future__ import annotations

import atexit
import json
import os
import re
import sys
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, NoReturn

OUT_OF_MEMORY = re.compile(r"N?PU out of memory\..*?(?:reserved in total by PyTorch\)|$)", re.MULTILINE)

peaks: dict[str, dict[str, int]] = {}
notes: list[str] = []
ended: dict[str, str] = {}


def note(sentence: str) -> None:
    """Something was shortened; told once."""
    if sentence not in notes:
        notes.append(sentence)


def watch(torch: ModuleType) -> None:
    """Count until the process ends, over all resets that the program makes."""
    owner = os.getpid()

    def counted_before(module: Any, name: str) -> None:
        reset = getattr(module, name, None)
        if reset is None:
            return

        def counted(*arguments: Any, **named: Any) -> Any:
            count(torch)
            return reset(*arguments, **named)

        setattr(module, name, counted)

    if torch_npu := sys.modules.get("torch_npu"):
        counted_before(torch_npu._C, "_npu_resetPeakMemoryStats")
    counted_before(torch._C, "_accelerator_resetPeakStats")
    sys.modules["torch.optim.optimizer"].register_optimizer_step_post_hook(lambda *_: write(torch, owner))
    atexit.register(lambda: write(torch, owner))
    leave = os._exit

    def exit_at_once(status: int) -> NoReturn:
        write(torch, owner)
        leave(status)

    os._exit = exit_at_once
    told_by = sys.excepthook

    def excepthook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if found := OUT_OF_MEMORY.search(str(error)):
            ended.update(out_of_memory=found.group(), where=line_of(trace))
        told_by(kind, error, trace)

    sys.excepthook = excepthook


def line_of(trace: TracebackType | None) -> str:
    """File and line of the program's own code that were reached last."""
    program, where = getattr(sys.modules["__main__"], "__file__", None), ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == program:
            where = f"{Path(str(program)).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return where


def count(torch: ModuleType) -> None:
    """Keep the highest that each card has seen."""
    npu = getattr(torch, "npu", None)
    if npu is None or not npu.is_initialized():
        return
    for card in range(npu.device_count()):
        statistics = npu.memory_stats(card)
        if not statistics.get("reserved_bytes.all.peak"):
            continue
        now = {
            "allocated": statistics["allocated_bytes.all.peak"],
            "reserved": statistics["reserved_bytes.all.peak"],
            "refused": statistics["num_ooms"],
        }
        before = peaks.setdefault(str(card), now)
        peaks[str(card)] = {name: max(before[name], now[name]) for name in now}


def write(torch: ModuleType, owner: int) -> None:
    """Put down what is known so far; children that were forked do not speak for their parent."""
    if os.getpid() != owner:
        return
    count(torch)
    if not peaks:
        return
    report = {"rank": int(os.environ.get("RANK", 0)), "cards": peaks, "notes": notes, **ended}
    file = Path(os.environ["REHEARSAL"]) / f"{owner}.json"
    unfinished = file.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(report), encoding="utf-8")
    unfinished.replace(file)
