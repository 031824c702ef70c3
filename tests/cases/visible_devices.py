"""How many cards a process sees: torch is imported once, each way is tried in a child of its own."""

import os
import sys
from collections.abc import Callable

import torch


def counted(name: str, value: str) -> str:
    os.environ[name] = value
    return f"{torch.npu.device_count()}"


def too_late() -> str:
    """The variable is set after the first use of a device."""
    torch.ones(1, device="npu:0")
    os.environ["ASCEND_RT_VISIBLE_DEVICES"] = "1"
    try:
        return str(torch.ones(1, device="npu:1").device)
    except RuntimeError as error:
        return next(code for code in ("507033", "107001") if code in str(error))


def in_a_child(label: str, outcome: Callable[[], str]) -> None:
    sys.stdout.flush()
    if child := os.fork():
        os.waitpid(child, 0)
        return
    print(f"{label}: {outcome()}", flush=True)
    os._exit(0)


for value in ("0,1", "1,2", "1,0", "1,1", "9", ""):
    in_a_child(f"ASCEND_RT_VISIBLE_DEVICES={value}", lambda value=value: counted("ASCEND_RT_VISIBLE_DEVICES", value))
for name in ("ASCEND_VISIBLE_DEVICES", "NPU_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES"):
    in_a_child(name, lambda name=name: counted(name, "1"))
in_a_child("too late", too_late)
