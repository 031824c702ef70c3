"""What came of every example with one set of versions: small, without outputs, times or notebooks."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engine.place.surroundings import Surroundings
from engine.values.example import Example
from engine.values.needs import unmet
from engine.values.record import Outcome
from engine.values.run import Run
from sets import FOLDER, VersionSet

RECORDS = FOLDER / "records"
ELSEWHERE = RECORDS / "elsewhere"  # of sets/elsewhere.py


@dataclass(frozen=True)
class CellOutcome:
    """How a cell ended."""

    name: str
    outcome: Outcome = Outcome.RAN
    error: str = ""
    """The message of one that failed, in a line."""
    need: str = ""
    """What a skipped one needs and did not find."""


@dataclass(frozen=True)
class ExampleOutcome:
    """What came of one example."""

    digest: str
    """Of what ran; see :func:`digest`."""
    recorded: str
    """UTC, to the minute."""
    cells: tuple[CellOutcome, ...]

    @property
    def failure(self) -> CellOutcome | None:
        ended = (cell for cell in self.cells if cell.outcome not in (Outcome.RAN, Outcome.SKIPPED))
        return next(ended, None)

    @property
    def needs(self) -> tuple[str, ...]:
        """What skipped cells need, each once."""
        return tuple(dict.fromkeys(cell.need for cell in self.cells if cell.need))

    @property
    def ran(self) -> int:
        return sum(cell.outcome is Outcome.RAN for cell in self.cells)

    @classmethod
    def of(cls, example: Example, run: Run) -> ExampleOutcome:
        cells = (CellOutcome(cell.name, cell.outcome, cell.error, cell.need) for cell in run.record.cells)
        return cls(digest(example), run.record.started[:16].replace("T", " "), tuple(cells))

    def holds(self, example: Example, here: Surroundings) -> bool:
        """Whether a run here would say nothing new: this text succeeded, and what it did without is still not there."""
        lacking = all(unmet([need], here.npus, here.packages) for need in self.needs)
        return self.digest == digest(example) and not self.failure and lacking

    def to_json(self) -> dict[str, Any]:
        """What is empty is left out."""
        cells = ({name: value for name, value in vars(cell).items() if value} for cell in self.cells)
        return {"digest": self.digest, "recorded": self.recorded, "cells": list(cells)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ExampleOutcome:
        cells = (CellOutcome(**{**cell, "outcome": Outcome(cell["outcome"])}) for cell in data["cells"])
        return cls(data["digest"], data["recorded"], tuple(cells))


@dataclass(frozen=True)
class SetRecord:
    """The last run of every example."""

    set: str
    pins: Mapping[str, str]
    """Those of the set when it ran: its file may have changed since."""
    machine: str
    device: str
    """``npu`` (silicon), ``virtual-npu`` or ``cpu``."""
    versions: Mapping[str, str]
    """As installed."""
    examples: Mapping[str, ExampleOutcome]
    """By file name."""
    where: str = ""
    """The system, and what emulated its processor, where it was not the machine's own."""

    @classmethod
    def of(
        cls,
        chosen: VersionSet,
        examples: Iterable[Example],
        runs: Mapping[str, Run],
        surroundings: Surroundings,
        where: str = "",
    ) -> SetRecord:
        return cls(
            chosen.name,
            dict(chosen.pins),
            platform.machine(),
            surroundings.device_kind,
            surroundings.versions,
            {each.name: ExampleOutcome.of(each, runs[each.name]) for each in examples},
            where,
        )

    @property
    def name(self) -> str:
        """Of its file: that of the set, and where there are several of it machine and Python as well."""
        python = ".".join(self.versions["Python"].split(".")[:2])
        return f"{self.set}-{self.machine}-python{python}" if self.where else self.set

    @property
    def recorded(self) -> str:
        """When its first example ran, and when its last."""
        times = [outcome.recorded for outcome in self.examples.values()]
        return " – ".join(dict.fromkeys((min(times), max(times))))

    def holding(self, examples: Iterable[Example], chosen: VersionSet, here: Surroundings) -> dict[str, ExampleOutcome]:
        """Of these examples, the outcomes that a run here would only repeat: none on another machine or version."""
        device = (here.report.get("device") or {}).get("kind", self.device)
        same = (self.machine, self.device, self.versions) == (platform.machine(), device, here.versions)
        if not same or not self.pins.items() <= chosen.pins.items():
            return {}
        found = {each.name: (self.examples.get(each.name), each) for each in examples}
        return {name: outcome for name, (outcome, each) in found.items() if outcome and outcome.holds(each, here)}

    def with_outcomes(self, kept: Mapping[str, ExampleOutcome]) -> SetRecord:
        """The same with these examples, which did not run again."""
        return replace(self, examples=dict(sorted({**kept, **self.examples}.items())))

    def to_json(self) -> dict[str, Any]:
        return {**vars(self), "examples": {name: outcome.to_json() for name, outcome in self.examples.items()}}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SetRecord:
        examples = {name: ExampleOutcome.from_json(outcome) for name, outcome in data["examples"].items()}
        return cls(**{**data, "examples": examples})

    def summary(self) -> str:
        """What failed, a line each, and how many did not."""
        failures = {name: outcome.failure for name, outcome in self.examples.items() if outcome.failure}
        lines = [f"{name}: {cell.name} {cell.outcome}: {cell.error}" for name, cell in failures.items() if cell]
        ran = len(self.examples) - len(failures)
        return "\n".join([*lines, f"{self.set}: {ran} of {len(self.examples)} examples ran without a failure"])


def digest(example: Example) -> str:
    """Changes with the example's text and with that of its companions."""
    sha = hashlib.sha256(example.text.encode())
    for path in example.companions:
        sha.update(path.read_bytes())
    return sha.hexdigest()[:16]


def write(record: SetRecord, folder: Path = RECORDS) -> None:
    """``NAME.json``"""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record.to_json(), ensure_ascii=False, indent=1)
    (folder / f"{record.name}.json").write_text(text + "\n", encoding="utf-8")


def read_all(folder: Path = RECORDS) -> dict[str, SetRecord]:
    """The records there are, by name."""
    files = sorted(folder.glob("*.json"))
    return {file.stem: SetRecord.from_json(json.loads(file.read_text(encoding="utf-8"))) for file in files}
