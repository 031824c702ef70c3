"""Seconds until the engine reports what went wrong: a cell beyond its limit, and a kernel that is killed."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from engine.kernel.execution import execute
from engine.place.surroundings import Surroundings
from engine.values.example import read
from engine.values.record import Outcome
from engine.values.run import Limits, Run

LIMIT = 2.0  # seconds
ENDLESS = "while True:\n    pass"
KILLED = "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)"


def run(code: str) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fault.py")
        path.write_text(f'"""A fault"""\n\n# %% fault\n{code}\n', encoding="utf-8")
        return asyncio.run(execute(read(path), Surroundings.here(), "key", Limits(cell_seconds=LIMIT)))


def seconds(code: str, outcome: Outcome) -> float:
    """Of the whole run, its kernel's start and end included."""
    record = run(code).record
    if record.cells[0].outcome is not outcome:
        raise RuntimeError(f"{record.cells[0].outcome} {record.cells[0].error}, not {outcome}")
    return record.seconds


def measure(rounds: int) -> dict[str, list[float]]:
    run("pass")  # waits for the imports of the fork server
    found: dict[str, list[float]] = {"fault/limit": [], "fault/killed": []}
    for _ in range(rounds):
        found["fault/limit"].append(round(seconds(ENDLESS, Outcome.TIMED_OUT) - LIMIT, 2))
        found["fault/killed"].append(round(seconds(KILLED, Outcome.KILLED), 2))
    return found


if __name__ == "__main__":
    print(json.dumps(measure(rounds=int(sys.argv[1]))))
