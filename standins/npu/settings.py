"""What the virtual device is to look like, from the environment.  ``src/settings.hpp`` reads the same variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEVICES = "VIRTUAL_NPU_DEVICES"
MEMORY = "VIRTUAL_NPU_MEMORY_GIB"
SIZES_ONLY = "VIRTUAL_NPU_SIZES_ONLY"
MOST_DEVICES = 16

# malloc takes large blocks straight from the system, where they are address space until they are written, and gives
# them back.
UNTOUCHED_HOST = {"MALLOC_MMAP_THRESHOLD_": str(1 << 20), "MALLOC_TRIM_THRESHOLD_": str(1 << 20)}


@dataclass(frozen=True)
class Settings:
    """The size of the virtual device."""

    devices: int = 4
    """As a small Ascend host has; a Trainer without torchrun uses the first one only."""
    memory_gib: float = 60.97
    """Of each device, in GiB: what an Ascend 910B of 64 GB reports.  It is counted only: the bytes are the host's."""
    sizes_only: bool = False
    """Rehearsal: operators find out the sizes of their results, the allocator counts, nothing large is computed."""

    def environment(self) -> dict[str, str]:
        chosen = {DEVICES: str(self.devices), MEMORY: f"{self.memory_gib:g}"}
        return chosen | UNTOUCHED_HOST | {SIZES_ONLY: "1"} if self.sizes_only else chosen


def settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings.

    Raises ``ValueError`` that names the variable and what it may be.
    """
    defaults = Settings()
    devices = _number(environment, DEVICES, defaults.devices)
    if not devices.is_integer() or not 1 <= devices <= MOST_DEVICES:
        raise ValueError(f"{DEVICES} is a whole number from 1 to {MOST_DEVICES}, not {devices:g}")
    memory = _number(environment, MEMORY, defaults.memory_gib)
    if memory <= 0:
        raise ValueError(f"{MEMORY} is a number of GiB above 0, not {memory:g}")
    return Settings(int(devices), memory, sizes_only=_number(environment, SIZES_ONLY, 0) != 0)


def _number(environment: Mapping[str, str], name: str, otherwise: float) -> float:
    text = environment.get(name) or str(otherwise)
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} is a number, not {text!r}") from None
