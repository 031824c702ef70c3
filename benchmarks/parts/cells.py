"""Milliseconds for a cell that does nothing: the engine's executor, and nbclient alone."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook

from engine.kernel.execution import execute
from engine.place.surroundings import Surroundings
from engine.values.example import Example, read
from engine.values.run import Limits

FEW = 10  # cells: so much of the time of MANY is the start of the kernel


def by_engine(example: Example, surroundings: Surroundings) -> None:
    run = asyncio.run(execute(example, surroundings, "key", Limits()))
    if not run.record.succeeded:
        raise RuntimeError(str(run.record.failure))


def by_nbclient(cells: int) -> None:
    NotebookClient(new_notebook(cells=[new_code_cell("pass") for _ in range(cells)])).execute()


def milliseconds(run: Callable[[int], None], many: int) -> float:
    """For one cell more: the time of many less that of few."""
    times = []
    for cells in (FEW, many):
        begin = time.perf_counter()
        run(cells)
        times.append(time.perf_counter() - begin)
    return 1000 * (times[1] - times[0]) / (many - FEW)


def measure(rounds: int, many: int) -> dict[str, list[float]]:
    surroundings = Surroundings.here()
    with tempfile.TemporaryDirectory() as folder:
        examples = {cells: _example(Path(folder), cells) for cells in (FEW, many)}
        by_engine(examples[FEW], surroundings)  # waits for the fork server
        engine = partial(_run, examples, surroundings)
        pairs = [(milliseconds(engine, many), milliseconds(by_nbclient, many)) for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    return {"cell/guide": [round(each, 2) for each in ours], "cell/nbclient": [round(each, 2) for each in theirs]}


def _run(examples: dict[int, Example], surroundings: Surroundings, cells: int) -> None:
    by_engine(examples[cells], surroundings)


def _example(folder: Path, cells: int) -> Example:
    path = folder / f"cells_{cells}.py"
    path.write_text('"""Cells"""\n\n' + "".join(f"# %% c{number}\npass\n\n" for number in range(cells)))
    return read(path)


if __name__ == "__main__":
    print(json.dumps(measure(rounds=int(sys.argv[1]), many=int(sys.argv[2]))))
