"""Silicon, the virtual device or plain CPU: the one place that decides."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from standins.npu.versions import Torch

SWITCH = "NPU"
CANN = ("ASCEND_HOME_PATH", "ASCEND_TOOLKIT_HOME")  # CANN's set_env.sh sets them
POSING = "lib64/VIRTUAL_NPU"  # a file of our own libraries, which CANN does not have


class Kind(Enum):
    SILICON = "npu"
    VIRTUAL = "virtual-npu"
    CPU = "cpu"


@dataclass(frozen=True)
class Choice:
    """What the examples will compute on, and why it is nothing better (a sentence in English; empty for silicon)."""

    kind: Kind
    reason: str = ""


@dataclass(frozen=True)
class Machine:
    """What decides: found out by :func:`this_machine`, made up by tests."""

    davinci: bool
    """An Ascend device's file exists."""
    cann: bool
    """CANN's environment is set, and leads to CANN and not to what takes its place here."""
    compiler: bool
    off: bool
    """``NPU=off``"""
    torch: Torch | None


def compiler() -> str | None:
    """The C++ compiler's path, or ``None``."""
    return shutil.which(os.environ.get("CXX") or "g++")


def device_files(folder: Path = Path("/dev")) -> int:
    """How many Ascend devices the driver shows here."""
    return len(list(folder.glob("davinci[0-9]*")))


def this_machine(torch: Torch | None, environment: Mapping[str, str], devices: Path = Path("/dev")) -> Machine:
    homes = [Path(environment[name]) for name in CANN if environment.get(name)]
    return Machine(
        davinci=device_files(devices) > 0,
        cann=any(home.is_dir() for home in homes) and not any((home / POSING).exists() for home in homes),
        compiler=compiler() is not None,
        off=environment.get(SWITCH, "").lower() == "off",
        torch=torch,
    )


def choose(machine: Machine, is_built: Callable[[], bool]) -> Choice:
    """Silicon wins without a switch, then the virtual device, then plain CPU.

    ``is_built`` tells whether the virtual device's libraries exist already, so that no compiler is needed.
    """
    if machine.off:
        return Choice(Kind.CPU, f"{SWITCH}=off asks for plain CPU")
    if machine.torch is None:
        return Choice(Kind.CPU, "torch and torch_npu are not both installed")
    if machine.davinci and machine.cann:
        return Choice(Kind.SILICON)
    lacking = (
        "an Ascend device is here, but CANN's environment is not set (source its set_env.sh)"
        if machine.davinci
        else "this machine has no Ascend device"
    )
    if not machine.compiler and not is_built():
        return Choice(Kind.CPU, f"{lacking}, and no C++ compiler to build the virtual one (install g++)")
    return Choice(Kind.VIRTUAL, lacking)
