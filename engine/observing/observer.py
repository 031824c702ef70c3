"""Watches, outside the example but in its kernel and in every process it starts, where its models and batches are.

That an example ran on the NPU is a fact observed here, never a claim of the example or of a page.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import sys
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

REPORTS = "EXAMPLE_OBSERVED"  # names the folder into which each process that an example starts puts its report
STAND_IN = "virtual_npu_mark"  # exported by a library in the place of CANN's, wherever it lies

_seen: set[int] = set()
_models: set[str] = set()
_batches: set[str] = set()
_peaks = {"device_peak_bytes": Counter[int](), "device_reserved_bytes": Counter[int]()}  # of each card
_tell: list[Callable[[], None]] = []  # called when something new was seen


def install() -> None:
    """Look at each module the first time it is called; later calls cost one look into a set."""
    import torch
    from torch.nn.modules.module import register_module_forward_pre_hook

    register_module_forward_pre_hook(_note)
    if npu := getattr(torch, "npu", None):
        npu.reset_peak_memory_stats = _after_noting(npu.reset_peak_memory_stats)


def _after_noting(reset: Callable[..., None]) -> Callable[..., None]:
    """An example that measures from here on shall not make its peak before forgotten."""

    @wraps(reset)
    def note_and_reset(*arguments: Any, **named: Any) -> None:
        _note_peaks()
        reset(*arguments, **named)

    return note_and_reset


def _note_peaks() -> None:
    npu = sys.modules["torch"].npu
    now = {"device_peak_bytes": npu.max_memory_allocated, "device_reserved_bytes": npu.max_memory_reserved}
    for name, most in now.items():
        _peaks[name] |= Counter({card: most(card) for card in range(npu.device_count())})  # the greater of both


def _note(module: Any, inputs: tuple[Any, ...]) -> None:
    if id(module) in _seen:
        return
    _seen.add(id(module))
    known = len(_models) + len(_batches)
    _models.update(str(parameter.device) for parameter in module.parameters(recurse=False))
    _batches.update(str(value.device) for value in inputs if hasattr(value, "device"))
    if len(_models) + len(_batches) > known:
        for tell in _tell:
            tell()


def report_at_end() -> None:
    """Write the report when something new was seen, and when this process ends unless it is killed."""
    folder, owner = os.environ.get(REPORTS), os.getpid()
    if not folder:
        return

    def write() -> None:
        if os.getpid() == owner:  # what was forked from it can not use the device
            file = Path(folder, f"{owner}.unfinished")
            file.write_text(report(), encoding="utf-8")
            file.replace(file.with_suffix(".json"))

    _tell.append(write)
    atexit.register(write)


def joined(kernel: dict[str, Any], reports: Path) -> dict[str, Any]:
    """What was seen in a kernel and in all processes that the example started."""
    facts = dict(kernel)
    for file in sorted(reports.glob("*.json")):
        seen = json.loads(file.read_text(encoding="utf-8"))
        for name in ("models", "batches"):
            facts[name] = sorted({*facts.get(name, ()), *seen[name]})
        for name in _peaks:
            facts[name] = max(facts.get(name, 0), seen.get(name, 0))
        for name in ("device_name", "cann", "device_bytes", "stands_in"):
            if name in seen:
                facts.setdefault(name, seen[name])
    return facts


def report() -> str:
    """JSON: ``models`` and ``batches`` (devices, as in ``npu:0``), ``seed``, ``device_name``, ``device_bytes``,
    ``device_peaks`` (of each card that tensors were on), ``device_peak_bytes`` and ``device_reserved_bytes`` (of the
    fullest), ``cann`` (its version), ``stands_in`` (whether something does, for CANN)."""
    facts: dict[str, Any] = {"models": sorted(_models), "batches": sorted(_batches)}
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["seed"] = torch.initial_seed()
    npu = getattr(torch, "npu", None)
    if npu is not None and npu.is_initialized():
        facts["device_name"] = npu.get_device_name()
        facts["stands_in"] = hasattr(ctypes.CDLL("libascendcl.so"), STAND_IN)  # loaded already
        facts["cann"] = npu.utils.get_cann_version()
        facts["device_bytes"] = npu.get_device_properties(npu.current_device()).total_memory
        _note_peaks()
        facts |= {name: max(cards.values(), default=0) for name, cards in _peaks.items()}
        facts["device_peaks"] = [peak for _, peak in sorted(_peaks["device_peak_bytes"].items())]
    return json.dumps(facts)
