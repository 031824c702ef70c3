"""Runs one example in a kernel of its own, cell by cell, and tells how each cell ended."""

from __future__ import annotations

import re
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output

from engine.kernel.client import Client, KernelNotStarted, opened
from engine.kernel.terminal import seen
from engine.observing.observer import joined
from engine.place.surroundings import OBSERVED, WORK, Surroundings
from engine.values.example import SUFFIXES, Cell, Example
from engine.values.needs import unmet
from engine.values.record import CellRecord, DeviceRecord, Outcome, Record
from engine.values.run import Limits, Run

ANSI = re.compile(r"\x1b\[[0-9;]*m")
PYTHON_LINE = re.compile(r"Cell In\[(?P<count>\d+)\], line (?P<line>\d+)")
LOG_LINES = 10
SHELL_LINE = re.compile(r"^line (?P<line>\d+): ")


@dataclass(frozen=True)
class Place:
    """Where an example runs."""

    folder: Path
    """As a reader would have it."""
    environment: Mapping[str, str]
    sockets: Path
    """A folder for those of its kernel."""
    paths: Mapping[str, str]
    """What a page calls folders of this machine."""


def ignore(cell: CellRecord) -> None:
    """Hears of a cell and does nothing."""


async def execute(
    example: Example,
    surroundings: Surroundings,
    key: str,
    limits: Limits,
    told: Callable[[CellRecord], None] = ignore,
) -> Run:
    """Execute all cells in an empty folder; a cell that does not end well ends the run, and raises nothing.

    ``told`` hears of each cell as it ends.
    """
    started, begin = datetime.now(UTC), time.monotonic()
    notebook = example.notebook()
    companions = [path for path in example.companions if path.suffix in SUFFIXES]
    texts = [example.text, *(path.read_text(encoding="utf-8") for path in companions)]
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        folder, environment = working_folder(example, scratch), surroundings.fresh_environment(scratch)
        place = Place(folder, environment, scratch, surroundings.shown_paths(scratch))
        (scratch / OBSERVED).mkdir()
        cells, facts = await execute_cells(example, notebook, surroundings, place, limits, told)
        facts = joined(facts, scratch / OBSERVED)
    record = Record(
        example=example.name,
        title=example.title,
        key=key,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begin, 2),
        device=_device(facts, surroundings),
        versions=surroundings.versions,
        standins=surroundings.standins_of("\n".join(texts)),
        cells=cells,
        seed=facts.get("seed"),
    )
    return Run(notebook, record)


async def execute_cells(
    example: Example,
    notebook: NotebookNode,
    surroundings: Surroundings,
    place: Place,
    limits: Limits,
    told: Callable[[CellRecord], None],
) -> tuple[tuple[CellRecord, ...], dict[str, Any]]:
    """A record of every cell, and what was observed of the device."""
    deadline = time.monotonic() + limits.example_seconds
    limited = (limits.memory_bytes, limits.output_bytes)
    records: list[CellRecord] = []
    ran = 0
    facts: dict[str, Any] = {}
    try:
        opening = opened(notebook, example, place.folder, place.environment, place.sockets, *limited)
        async with opening as client:
            for index, cell in enumerate(example.cells, start=1):
                if need := unmet(cell.needs, surroundings.npus, surroundings.packages):
                    records.append(CellRecord(cell.name, cell.line, Outcome.SKIPPED, need=need))
                    continue
                seconds = min(limits.cell_seconds, deadline - time.monotonic())
                began = time.time()
                record = await _execute_cell(client, cell, index, max(1, round(seconds)), place.paths, ran + 1)
                if record.outcome is not Outcome.RAN and not record.traceback:
                    record = replace(record, traceback=_renamed(_end_of_log(place.folder, began), place.paths))
                records.append(record)
                ran += 1
                told(record)
                if record.outcome is not Outcome.RAN:
                    break
            if records[-1].outcome not in (Outcome.TIMED_OUT, Outcome.KILLED):  # else there is nobody to ask
                facts = await client.observed()
    except KernelNotStarted as error:
        first = example.cells[0]
        records.append(CellRecord(first.name, first.line, Outcome.KILLED, error=f"its kernel did not start: {error}"))
    skipped = [CellRecord(cell.name, cell.line, Outcome.SKIPPED) for cell in example.cells[len(records) :]]
    return (*records, *skipped), facts


def working_folder(example: Example, scratch: Path) -> Path:
    """A folder as a reader would have it: the example and its companions, nothing else."""
    folder = scratch / WORK
    folder.mkdir()
    (folder / example.name).write_text(example.text, encoding="utf-8")  # as read: the file may have been edited since
    for path in example.companions:
        shutil.copy(path, folder)
    return folder


async def _execute_cell(
    client: Client, cell: Cell, index: int, seconds: int, shown_paths: Mapping[str, str], count: int
) -> CellRecord:
    """``index`` is the cell's place in the notebook, ``count`` the number by which the kernel knows it."""
    begin = time.monotonic()
    client.timeout = seconds
    client.watch.peak_bytes = 0
    outcome, error, line, traceback = Outcome.RAN, "", 0, ""
    try:
        await client.async_execute_cell(client.nb.cells[index], index, execution_count=count)
    except CellExecutionError as failure:
        outcome, error = Outcome.FAILED, f"{failure.ename}: {failure.evalue}".splitlines()[0]
        traceback = _traceback(client.nb.cells[index])
        line = _failed_line(cell, count, failure.evalue, traceback)
    except CellTimeoutError:
        outcome, error = Outcome.TIMED_OUT, f"still running after {seconds} s"
    except DeadKernelError:
        outcome, error = Outcome.KILLED, await client.cause_of_death()
    client.watch.sample()
    _tidy(client.nb.cells[index], shown_paths)
    took = round(time.monotonic() - begin, 3)
    error, traceback = _renamed(error, shown_paths), _renamed(traceback, shown_paths)
    return CellRecord(cell.name, cell.line, outcome, took, client.watch.peak_bytes, error, line, traceback)


def _tidy(cell: NotebookNode, shown_paths: Mapping[str, str]) -> None:
    """One output for each stream, stdout before stderr, as a terminal would show it at the end, with readers' paths."""
    streams = {
        name: seen("".join(output.text for output in cell.outputs if output.get("name") == name))
        for name in ("stdout", "stderr")
    }
    others = [output for output in cell.outputs if output.output_type != "stream"]
    for error in (output for output in others if output.output_type == "error"):
        error.traceback = [_renamed(line, shown_paths) for line in error.traceback]
    cell.outputs = [
        new_output("stream", name=name, text=_renamed(text, shown_paths)) for name, text in streams.items() if text
    ] + others


def _renamed(text: str, shown_paths: Mapping[str, str]) -> str:
    for path, shown in shown_paths.items():
        text = text.replace(path, shown)
    return text


def _traceback(cell: NotebookNode) -> str:
    """As the kernel printed it, without colours."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return ANSI.sub("", "\n".join(line for output in errors for line in output.traceback))


def _end_of_log(folder: Path, since: float) -> str:
    """Of the log file that was written last since then, where an example may have sent what went wrong."""
    written = {path.stat().st_mtime: path for path in folder.rglob("*.log") if path.stat().st_mtime > since - 1}
    if not written:
        return ""
    log = written[max(written)]
    lines = ANSI.sub("", seen(log.read_text(encoding="utf-8", errors="replace"))).splitlines()
    return "\n".join([f"the end of {log.name}:", *lines[-LOG_LINES:]])


def _failed_line(cell: Cell, count: int, value: str, traceback: str) -> int:
    """Line of the file: of the last frame in this cell, or of the shell command that failed."""
    frames = [int(match["line"]) for match in PYTHON_LINE.finditer(traceback) if int(match["count"]) == count]
    if shell := SHELL_LINE.match(value):
        frames.append(int(shell["line"]))
    return cell.line + frames[-1] - 1 if frames else cell.line


def _device(facts: dict[str, Any], surroundings: Surroundings) -> DeviceRecord:
    """What was observed; a virtual device looks like silicon, and only its libraries and who gave it know better."""
    told = surroundings.report.get("device") or {}
    return DeviceRecord(
        kind="virtual-npu" if facts.get("stands_in") else surroundings.device_kind,
        name=facts.get("device_name") or told.get("name", ""),
        models=tuple(facts.get("models", ())),
        batches=tuple(facts.get("batches", ())),
        peak_bytes=facts.get("device_peak_bytes", 0),
        reserved_bytes=facts.get("device_reserved_bytes", 0),
        memory_bytes=facts.get("device_bytes", 0),
        cann=facts.get("cann", ""),
    )
