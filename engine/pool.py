"""Executes several examples at a time, as far as memory allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

from engine.place.memory import available

ROOM_FOR_ONE_MORE = 4 << 30  # bytes; a second example starts only when so much memory is available

Name = TypeVar("Name")
Result = TypeVar("Result")


class Room:
    """Lets one more begin while there is memory for it, and always one: whoever waits does so for one that runs."""

    def __init__(self) -> None:
        self.running = 0

    @asynccontextmanager
    async def for_one_more(self) -> AsyncIterator[None]:
        while self.running and available() < ROOM_FOR_ONE_MORE:
            await asyncio.sleep(0.5)
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1


async def run(
    tasks: Mapping[Name, Callable[[], Awaitable[Result]]],
    gate: asyncio.Semaphore,
    room: Room,
    done: Callable[[Result], None],
) -> dict[Name, Result]:
    """The result of every task by name, as many at a time as the gate lets through; ``done`` hears of each."""
    results: dict[Name, Result] = {}

    async def one(name: Name, task: Callable[[], Awaitable[Result]]) -> None:
        async with gate, room.for_one_more():
            results[name] = await task()
            done(results[name])

    await asyncio.gather(*(one(name, task) for name, task in tasks.items()))
    return results
