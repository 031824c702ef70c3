"""Keeps an eye on a kernel and all that it started: memory, and that nothing outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal

import psutil

PERIOD = 0.25  # seconds between two looks


class Watch:
    """The process tree of one kernel."""

    def __init__(self, pid: int, memory_bytes: int) -> None:
        self.kernel = psutil.Process(pid)
        self.memory_bytes = memory_bytes
        self.peak_bytes = 0
        self.verdict = ""
        """Why the kernel was killed by us; empty when it was not."""
        self._started: dict[int, psutil.Process] = {}

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.sample()
            if self.peak_bytes > self.memory_bytes:
                self.kill(f"used more than {self.memory_bytes >> 20} MiB of memory")
            await asyncio.sleep(PERIOD)

    def sample(self) -> None:
        """Note memory and children; a child that leaves the tree later is still known."""
        total = 0
        with contextlib.suppress(psutil.NoSuchProcess):
            for process in (self.kernel, *self.kernel.children(recursive=True)):
                self._started[process.pid] = process
                with contextlib.suppress(psutil.NoSuchProcess):
                    total += process.memory_info().rss
        self.peak_bytes = max(self.peak_bytes, total)

    def kill(self, verdict: str) -> None:
        """End the kernel and all it started, and remember why."""
        self.verdict = self.verdict or verdict
        self.end()

    def end(self) -> None:
        """Kill what is left of the tree, the process group and known stragglers included."""
        self.sample()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.kernel.pid, signal.SIGKILL)
        for process in self._started.values():
            with contextlib.suppress(psutil.NoSuchProcess):  # psutil notices when a pid belongs to another by now
                process.kill()
