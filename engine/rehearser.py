"""Rehearses examples at the true size of their model, in a process of its own where the stand-ins rehearse.

Whether and how that is possible here, the stand-ins' report says: ``"rehearsal": {"command": [...], "content": ...}``.
The command runs another where device memory is counted only; this module is what it runs, ``python -m
engine.rehearser``: it reads jobs and answers them, a line of JSON each.  So all rehearsals share one fork server, and
nothing that they need for it reaches the process that executes examples.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from engine.kernel import forked
from engine.kernel.execution import Place, execute_cells, ignore, working_folder
from engine.place.surroundings import Surroundings
from engine.values.example import Example, parsed
from engine.values.record import CellRecord, Outcome
from engine.values.rehearsal import Found, Stop
from engine.values.run import Limits

ROOT = Path(__file__).parents[1]
VISIBLE = "ASCEND_RT_VISIBLE_DEVICES"


class Rehearser:
    """The process, from where the examples are executed; started when there is a first job."""

    def __init__(self, command: Sequence[str], limits: Limits) -> None:
        self.command = (*command, sys.executable, "-m", "engine.rehearser")
        self.limits = limits
        self._process: asyncio.subprocess.Process | None = None

    async def rehearse(self, example: Example, cards: int, processes: int) -> Found:
        """What came of one rehearsal; only one at a time."""
        asked = {"cards": cards, "processes": processes, "limits": asdict(self.limits)}
        job = {"path": str(example.path), "text": example.text, **asked}
        if self._process is None:
            self._process = await asyncio.create_subprocess_exec(
                *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT
            )
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        with suppress(ConnectionError):  # then there is no answer either
            await self._process.stdin.drain()
        answer = await self._process.stdout.readline()
        if not answer:
            await self.close()
            return Found(stop=Stop(example.cells[0].name, example.cells[0].line, "the rehearsal ended without a word"))
        return Found.from_json(json.loads(answer))

    async def close(self) -> None:
        """Its end follows from that of its input."""
        if self._process and self._process.stdin:
            self._process.stdin.close()
            await self._process.wait()
            self._process = None


async def rehearse(example: Example, cards: int, processes: int, surroundings: Surroundings, limits: Limits) -> Found:
    """Run it once, in one folder: in one process that sees so many cards, or as torchrun does in one for each."""
    with tempfile.TemporaryDirectory(prefix="run-", ignore_cleanup_errors=True) as name:
        folder = working_folder(example, Path(name))
        ranks = [
            asyncio.create_task(_rank(example, rank, surroundings, environment, folder, limits))
            for rank, environment in enumerate(_environments(cards, processes))
        ]
        found: list[Found] = []
        try:
            for ended in asyncio.as_completed(ranks):
                found.append(await ended)
                if found[-1].stop:  # the others wait for it, and would for long
                    break
        finally:
            for rank in ranks:
                rank.cancel()
            await asyncio.gather(*ranks, return_exceptions=True)
    return max(found, key=lambda each: (each.stop is not None, each.peak_bytes))


def _environments(cards: int, processes: int) -> list[dict[str, str]]:
    """Of every process, what torchrun would set; one alone is started by ``python``."""
    seen = {VISIBLE: ",".join(map(str, range(cards)))}
    if processes == 1:
        return [seen]
    world = {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1"}
    world["MASTER_PORT"] = str(_free_port())
    return [{**seen, **world, "RANK": str(rank), "LOCAL_RANK": str(rank)} for rank in range(processes)]


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


async def _rank(
    example: Example,
    rank: int,
    surroundings: Surroundings,
    environment: dict[str, str],
    folder: Path,
    limits: Limits,
) -> Found:
    sockets = folder.with_name(f"rank{rank}")
    sockets.mkdir()
    own = replace(surroundings, environment={**surroundings.environment, **environment})
    place = Place(folder, own.environment, sockets, own.shown_paths(folder.parent))
    cells, facts = await execute_cells(example, example.notebook(), own, place, limits, ignore)
    sizes = ("device_bytes", "device_peak_bytes", "device_reserved_bytes")
    card, peak, reserved = (int(facts.get(name, 0)) for name in sizes)
    stop = _stop(cells) or (None if card else Stop(cells[-1].name, cells[-1].line, "it used no card"))
    peaks = tuple(facts.get("device_peaks", ()))
    return Found(card, peak, reserved, stop, peaks if len(set(peaks)) > 1 else ())


def _stop(cells: Sequence[CellRecord]) -> Stop | None:
    ended = (cell for cell in cells if cell.outcome not in (Outcome.RAN, Outcome.SKIPPED))
    return next((Stop(cell.name, cell.error_line or cell.line, cell.error) for cell in ended), None)


async def serve() -> None:
    """Answer jobs until there are no more; whoever gives them ends this process by closing its input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what anything else prints is no answer
    surroundings = Surroundings.here()
    forked.start_server(surroundings.environment)
    jobs = asyncio.StreamReader(limit=1 << 24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(jobs), sys.stdin)
    line = await jobs.readline()
    while line:
        job = json.loads(line)
        example = parsed(Path(job["path"]), job["text"])
        asked = (example, job["cards"], job["processes"], surroundings, Limits(**job["limits"]))
        rehearsing = asyncio.create_task(rehearse(*asked))
        following = asyncio.create_task(jobs.readline())
        await asyncio.wait({rehearsing, following}, return_when=asyncio.FIRST_COMPLETED)
        if not rehearsing.done():  # nobody waits for the answer any more
            rehearsing.cancel()
            await asyncio.gather(rehearsing, return_exceptions=True)
            return
        print(json.dumps(asdict(rehearsing.result())), file=answers, flush=True)
        line = await following


if __name__ == "__main__":
    asyncio.run(serve())
