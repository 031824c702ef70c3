"""Executes several examples at a time, as far as memory allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import psutil

from engine.example import Example
from engine.run import Run

ROOM_FOR_ONE_MORE = 4 << 30  # bytes; a second example starts only when so much memory is available


def run(
    examples: Sequence[Example],
    jobs: int,
    execute: Callable[[Example], Awaitable[Run]],
    done: Callable[[Run, int], None],
) -> dict[str, Run]:
    """The run of every example by name, ``jobs`` at a time; ``done`` hears of each, and how many have ended by then."""
    return asyncio.run(_run(examples, asyncio.Semaphore(jobs), execute, done))


async def _run(
    examples: Sequence[Example],
    gate: asyncio.Semaphore,
    execute: Callable[[Example], Awaitable[Run]],
    done: Callable[[Run, int], None],
) -> dict[str, Run]:
    runs: dict[str, Run] = {}

    async def one(example: Example) -> None:
        async with gate:
            await _wait_for_memory()
            runs[example.name] = await execute(example)
            done(runs[example.name], len(runs))

    await asyncio.gather(*(one(example) for example in examples))
    return runs


async def _wait_for_memory() -> None:
    """Hold a second example back while memory is short, but never the only one."""
    begin = time.monotonic()
    while psutil.virtual_memory().available < ROOM_FOR_ONE_MORE and time.monotonic() - begin < 60:
        await asyncio.sleep(1)
