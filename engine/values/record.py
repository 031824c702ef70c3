"""What is kept of a run: outcomes, device, versions, time and memory; as data, JSON in and out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Outcome(StrEnum):
    """How a cell ended."""

    RAN = "ran"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    KILLED = "killed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class CellRecord:
    """One cell of a run."""

    name: str
    line: int
    outcome: Outcome
    seconds: float = 0.0
    peak_bytes: int = 0
    """Largest resident memory of the kernel and all its children while the cell ran; shared pages count in each."""
    error: str = ""
    """What went wrong, in one line; empty when nothing did."""
    error_line: int = 0
    """Line of the example's file that failed, 0 when it is not known."""
    traceback: str = ""
    need: str = ""
    """What a skipped cell needs and did not find, as in ``npu>=4``; see :mod:`engine.values.needs`."""


@dataclass(frozen=True)
class DeviceRecord:
    """What the example computed on, as observed."""

    kind: str
    """``npu`` (silicon), ``virtual-npu`` or ``cpu``."""
    name: str = ""
    models: tuple[str, ...] = ()
    """Devices on which parameters of called modules were, as in ``npu:0``."""
    batches: tuple[str, ...] = ()
    """Devices of the tensors these modules were called with."""
    peak_bytes: int = 0
    """Largest memory that tensors took on the device."""
    reserved_bytes: int = 0
    """Largest memory that the allocator held for them."""
    memory_bytes: int = 0
    """All memory of the device."""
    cann: str = ""
    """Version of CANN, as torch_npu reads it; that of the stand-in where the device is virtual."""


@dataclass(frozen=True)
class Record:
    """One run of one example."""

    example: str
    """File name below ``examples/``."""
    title: str
    key: str
    """Digest of all that can change the output; see :mod:`engine.cache`."""
    started: str
    """UTC, ISO 8601."""
    seconds: float
    device: DeviceRecord
    versions: Mapping[str, str]
    standins: tuple[Mapping[str, str], ...]
    cells: tuple[CellRecord, ...] = field(default=())
    seed: int | None = None
    """Of torch's generator when the run ended; None for a shell."""

    @property
    def succeeded(self) -> bool:
        return self.failure is None

    @property
    def failure(self) -> CellRecord | None:
        """The cell that ended the run."""
        ended = (cell for cell in self.cells if cell.outcome not in (Outcome.RAN, Outcome.SKIPPED))
        return next(ended, None)

    @property
    def peak_bytes(self) -> int:
        return max((cell.peak_bytes for cell in self.cells), default=0)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Record:
        device: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in data["device"].items()
        }
        cells = tuple(CellRecord(**{**cell, "outcome": Outcome(cell["outcome"])}) for cell in data["cells"])
        standins = tuple(data["standins"])
        return cls(**{**data, "device": DeviceRecord(**device), "cells": cells, "standins": standins})
