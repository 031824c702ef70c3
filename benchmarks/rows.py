"""What was measured, as data: rows, the goals some of them have, and the record of a whole run."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

MET, MISSED, NOT_MEASURED = "met", "missed", "not measured"
SHOWN_VERSIONS = (
    "sphinx",
    "sphinx-rtd-theme",
    "myst-nb",
    "jupyter-cache",
    "nbclient",
    "torch",
    "transformers",
    "datasets",
)


@dataclass(frozen=True)
class Row:
    """One quantity, measured once or several times."""

    name: str
    """By which goals find it, as in ``cold/guide``."""
    zh: str
    en: str
    values: tuple[float, ...]
    unit: str

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.values)


@dataclass(frozen=True)
class Goal:
    """A bound on a row, or on its ratio to another."""

    row: str
    at_most: float | None
    """None where a ratio is told and nothing is asked of it."""
    than: str = ""
    """Row of which ``at_most`` is a multiple; empty when it is a value in the row's own unit."""

    def measured(self, rows: Mapping[str, Row]) -> float | None:
        """The value or ratio that is bounded; None when a row of it was not measured."""
        row, base = rows.get(self.row), rows.get(self.than)
        if row is None or (self.than and base is None):
            return None
        return row.value / base.value if base else row.value

    def verdict(self, rows: Mapping[str, Row]) -> str:
        found = self.measured(rows)
        if self.at_most is None:
            return ""
        if found is None:
            return NOT_MEASURED
        return MET if found <= self.at_most else MISSED


GOALS = (
    Goal("cold/guide", 0.85, "cold/gallery"),
    Goal("cold/guide", None, "cold/gallery-2"),
    Goal("cold/guide", 0.30, "cold/myst-2"),
    Goal("cold/guide", None, "cold/myst-1"),
    Goal("cold/guide", None, "cold/scripts"),
    Goal("unchanged/guide", 1.2, "unchanged/sphinx"),
    Goal("unchanged/guide", None, "unchanged/gallery"),
    Goal("unchanged/guide", None, "unchanged/myst-cache"),
    Goal("unchanged/torch", 0),
    Goal("prose/guide/executions", 0),
    Goal("example/guide", None, "example/gallery"),
    Goal("example/guide", None, "example/myst-cache"),
    Goal("memory/guide", 0.5, "memory/myst-2"),
    Goal("memory/guide", 1.3, "memory/scripts"),
    Goal("memory/guide", None, "memory/gallery"),
    Goal("growth/deviation", 10),
    Goal("cell/guide", None, "cell/nbclient"),
    Goal("fault/limit", 2),
    Goal("fault/killed", 2),
    Goal("judgement/share", 5),
    Goal("manifest/share", 1),
    Goal("step/npu", 2.0, "step/cpu"),
    Goal("hub/download", None, "hub/copy"),
    Goal("map/guide", None, "map/loop"),
    Goal("train/guide", None, "train/loop"),
    Goal("rehearsal/share", 25),
    Goal("sets/again", 1),
    *(Goal(f"shards/{machines}/{examples}", 15) for machines in (2, 4, 8) for examples in (42, 200, 1000)),
    Goal("paired/site/now", 0.75, "paired/site/before"),
    Goal("paired/tests/now", 0.8, "paired/tests/before"),
)


@dataclass(frozen=True)
class Results:
    """One run of the benchmark."""

    started: str
    """UTC, ISO 8601."""
    seconds: float
    machine: Mapping[str, Any]
    versions: Mapping[str, str]
    rows: tuple[Row, ...]

    @property
    def by_name(self) -> dict[str, Row]:
        return {row.name: row for row in self.rows}

    def goals_of(self, row: Row, goals: Sequence[Goal] = GOALS) -> list[tuple[Goal, float | None, str]]:
        """Each goal of a row, the value or ratio it bounds, and the verdict; without a bound only if it is known."""
        rows = self.by_name
        found = [(goal, goal.measured(rows), goal.verdict(rows)) for goal in goals if goal.row == row.name]
        return [each for each in found if each[1] is not None or each[2]]

    def to_json(self) -> dict[str, Any]:
        """Of each row also the median and the goals with their verdicts, for those who only read."""
        rows = [
            {
                **asdict(row),
                "value": row.value,
                "goals": [
                    {**asdict(goal), "measured": found, "verdict": verdict}
                    for goal, found, verdict in self.goals_of(row)
                ],
            }
            for row in self.rows
        ]
        return {**asdict(self), "rows": rows}

    def write(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def this_machine() -> dict[str, Any]:
    """Of what kind it is; nothing that would tell which one."""
    described = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    models = (line.partition(":")[2].strip() for line in described.splitlines() if line.startswith("model name"))
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": next(models, platform.processor()),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "load_before": os.getloadavg()[0],
    }


def versions() -> dict[str, str]:
    return {"Python": platform.python_version(), **{name: version(name) for name in SHOWN_VERSIONS}}
