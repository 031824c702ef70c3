"""Executes several examples at a time, as far as memory allows."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import psutil

ROOM_FOR_ONE_MORE = 4 << 30  # bytes; a second example starts only when so much memory is available

Name = TypeVar("Name")
Result = TypeVar("Result")


async def run(
    tasks: Mapping[Name, Callable[[], Awaitable[Result]]], gate: asyncio.Semaphore, done: Callable[[Result], None]
) -> dict[Name, Result]:
    """The result of every task by name, as many at a time as the gate lets through; ``done`` hears of each."""
    results: dict[Name, Result] = {}

    async def one(name: Name, task: Callable[[], Awaitable[Result]]) -> None:
        async with gate:
            await wait_for_memory()
            results[name] = await task()
            done(results[name])

    await asyncio.gather(*(one(name, task) for name, task in tasks.items()))
    return results


async def wait_for_memory() -> None:
    """Hold a second example back while memory is short, but never the only one."""
    begin = time.monotonic()
    while psutil.virtual_memory().available < ROOM_FOR_ONE_MORE and time.monotonic() - begin < 60:
        await asyncio.sleep(1)
