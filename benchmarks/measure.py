"""What a command costs: seconds, the memory of all its processes together, how many examples it executed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PERIOD = 0.2  # seconds between two looks at the memory
# To this file each executed example adds a line.  A variable would not do: the engine passes only those it knows.
EXECUTIONS = Path(tempfile.gettempdir()) / f"benchmark-executions-{os.getpid()}"


class CommandFailed(RuntimeError):
    """What was to be measured did not succeed."""


@dataclass(frozen=True)
class Cost:
    """Of one run of a command."""

    seconds: float
    """Wall time."""
    peak_bytes: int
    """Largest sum of the proportional set sizes (PSS) of the process and all its descendants: a page that several of
    them share counts once."""
    executions: int
    """Examples executed."""


def measure(command: Sequence[str | Path], folder: Path, environment: Mapping[str, str]) -> Cost:
    """Run a command in a folder; raises :class:`CommandFailed` with the end of what it printed."""
    with tempfile.TemporaryDirectory() as scratch:
        EXECUTIONS.unlink(missing_ok=True)
        output = Path(scratch, "output")
        with output.open("wb") as file:
            begin = time.perf_counter()
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=environment_of(environment),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            with watched(process.pid) as peak:
                code = process.wait()
            seconds = time.perf_counter() - begin
        if code:
            tail = output.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise CommandFailed(f"{' '.join(map(str, command))}: exit status {code}\n{tail}")
        count = len(EXECUTIONS.read_text().splitlines()) if EXECUTIONS.exists() else 0
        EXECUTIONS.unlink(missing_ok=True)
    return Cost(seconds, max(peak), count)


def environment_of(variables: Mapping[str, str]) -> dict[str, str]:
    """That of a command; Python keeps what it compiled, as it does where nobody forbids it."""
    environment = {**os.environ, **variables}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


@contextlib.contextmanager
def watched(pid: int) -> Iterator[list[int]]:
    """Bytes of memory of a process tree, a look at a time, until the block ends."""
    samples, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(PERIOD):
            samples.append(tree_bytes(pid))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield samples
    finally:
        ended.set()
        thread.join()


def tree_bytes(pid: int) -> int:
    """PSS of a process and all its descendants; of one that ends meanwhile nothing is counted."""
    total = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for each in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.Error):
                total += each.memory_full_info().pss
    return total
