"""Runs one example in a kernel of its own, cell by cell, and tells how each cell ended."""

from __future__ import annotations

import ast
import asyncio
import json
import re
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from engine import kernels
from engine.example import Cell, Example
from engine.record import CellRecord, DeviceRecord, Outcome, Record
from engine.surroundings import Surroundings
from engine.watch import Watch

ANSI = re.compile(r"\x1b\[[0-9;]*m")
TRACEBACK_LINE = re.compile(r"Cell In\[(?P<count>\d+)\], line (?P<line>\d+)")
SHELL_LINE = re.compile(r"^line (?P<line>\d+): ")


@dataclass(frozen=True)
class Limits:
    """What a run may take before it is ended."""

    cell_seconds: float = 300
    example_seconds: float = 600
    memory_bytes: int = 8 << 30
    output_bytes: int = 4 << 20


@dataclass(frozen=True)
class Run:
    """An executed example: its notebook with outputs, and the record that says how it came about."""

    notebook: NotebookNode
    record: Record


@dataclass
class _Progress:
    """The state of a run under way."""

    deadline: float
    cells: list[CellRecord] = field(default_factory=list)


async def execute(
    example: Example,
    surroundings: Surroundings,
    key: str,
    limits: Limits = Limits(),
    told: Callable[[CellRecord], None] = lambda cell: None,
) -> Run:
    """Execute all cells in an empty folder; a cell that does not end well ends the run, and raises nothing.

    ``told`` hears of each cell as it ends.
    """
    started = datetime.now(UTC)
    begin = time.monotonic()
    notebook = example.notebook()
    progress = _Progress(deadline=begin + limits.example_seconds)
    facts: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as scratch:
        folder = _working_folder(example, Path(scratch))
        async with _kernel(example, notebook, surroundings, folder, Path(scratch), limits) as (client, watch):
            for index, cell in enumerate(example.cells, start=1):
                record = await _run_cell(client, watch, cell, index, limits, progress.deadline)
                progress.cells.append(record)
                told(record)
                if record.outcome is not Outcome.RAN:
                    break
            else:
                facts = await _observed(client)
    skipped = [CellRecord(cell.name, cell.line, Outcome.SKIPPED) for cell in example.cells[len(progress.cells) :]]
    record = Record(
        example=example.name,
        title=example.title,
        key=key,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begin, 2),
        device=_device(facts, surroundings),
        versions=surroundings.versions,
        standins=tuple(surroundings.report.get("standins", ())),
        cells=(*progress.cells, *skipped),
    )
    return Run(notebook, record)


def _working_folder(example: Example, scratch: Path) -> Path:
    """An empty folder but for the example and its companions, as a reader would have it."""
    folder = scratch / "work"
    folder.mkdir()
    for path in (example.path, *example.companions):
        shutil.copy(path, folder)
    return folder


@asynccontextmanager
async def _kernel(
    example: Example, notebook: NotebookNode, surroundings: Surroundings, folder: Path, scratch: Path, limits: Limits
) -> AsyncIterator[tuple[NotebookClient, Watch]]:
    """A kernel ready for the first cell; when the block ends nothing that it started is left."""
    environment = surroundings.fresh_environment(scratch)
    manager = await kernels.start(example.language, folder, environment, scratch)
    assert manager.provisioner
    watch = Watch(manager.provisioner.pid, limits.memory_bytes)
    client = _Client(notebook, km=manager, coalesce_streams=True, watch=watch, output_bytes=limits.output_bytes)
    watching = asyncio.create_task(watch.run())
    try:
        client.kc = manager.client()
        client.kc.start_channels()
        await client.kc.wait_for_ready(timeout=120)
        client.kc.allow_stdin = False
        yield client, watch
    finally:
        watching.cancel()
        watch.end()
        if client.kc:
            client.kc.stop_channels()
        await manager.provisioner.wait()
        await manager.cleanup_resources()


class _Client(NotebookClient):  # type: ignore[misc]
    """Ends the kernel when its output floods the notebook."""

    def __init__(self, notebook: NotebookNode, *, watch: Watch, output_bytes: int, **options: Any) -> None:
        super().__init__(notebook, **options)
        self.watch = watch
        self.left = output_bytes

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if self.watch.verdict:
            return None  # whatever still comes belongs to a kernel that is being killed
        self.left -= len(msg["content"].get("text", ""))
        if self.left < 0:
            self.watch.kill("printed more than an example may")
        return super().process_message(msg, cell, cell_index)


async def _run_cell(
    client: NotebookClient, watch: Watch, cell: Cell, index: int, limits: Limits, deadline: float
) -> CellRecord:
    begin = time.monotonic()
    client.timeout = max(1, round(min(limits.cell_seconds, deadline - begin)))
    watch.peak_bytes = 0
    outcome, error, line, traceback = Outcome.RAN, "", 0, ""
    try:
        await client.async_execute_cell(client.nb.cells[index], index, execution_count=index)
    except CellExecutionError as failure:
        outcome, error = Outcome.FAILED, f"{failure.ename}: {failure.evalue}".splitlines()[0]
        traceback = _traceback(client.nb.cells[index])
        line = _failed_line(cell, index, failure.evalue, traceback)
    except CellTimeoutError:
        outcome, error = Outcome.TIMED_OUT, f"still running after {client.timeout} s"
    except DeadKernelError:
        outcome, error = Outcome.KILLED, watch.verdict or _cause_of_death(await client.km.provisioner.poll())
    watch.sample()
    return CellRecord(
        cell.name, cell.line, outcome, round(time.monotonic() - begin, 3), watch.peak_bytes, error, line, traceback
    )


def _traceback(cell: NotebookNode) -> str:
    """As the kernel printed it, without colours."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    return ANSI.sub("", "\n".join(line for output in errors for line in output.traceback))


def _failed_line(cell: Cell, index: int, value: str, traceback: str) -> int:
    """Line of the file, from the last frame of the traceback that is in this cell."""
    found = [match for match in TRACEBACK_LINE.finditer(traceback) if int(match["count"]) == index]
    if found:
        return cell.line + int(found[-1]["line"]) - 1
    if shell := SHELL_LINE.match(value):
        return cell.line + int(shell["line"]) - 1
    return cell.line


def _cause_of_death(code: int | None) -> str:
    if code is None:
        return "the kernel died"
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"the process exited with status {code}"


async def _observed(client: NotebookClient) -> dict[str, Any]:
    """What the observer in the kernel saw; empty for a shell."""
    if client.km.kernel_name != "python3":
        return {}
    message = client.kc.execute("", silent=True, user_expressions={"seen": "__import__('engine.observer').observer.report()"})
    reply = await client.async_wait_for_reply(message)
    seen = reply["content"]["user_expressions"]["seen"]
    return dict(json.loads(ast.literal_eval(seen["data"]["text/plain"])))


def _device(facts: dict[str, Any], surroundings: Surroundings) -> DeviceRecord:
    told = surroundings.report.get("device") or {}
    kind = told.get("kind") or ("npu" if "device_name" in facts else "cpu")
    return DeviceRecord(
        kind=kind,
        name=facts.get("device_name") or told.get("name", ""),
        models=tuple(facts.get("models", ())),
        batches=tuple(facts.get("batches", ())),
        peak_bytes=facts.get("device_peak_bytes", 0),
    )
