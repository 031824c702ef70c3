"""One kernel for one example: opened ready for the first cell, and closed with nothing left behind."""

from __future__ import annotations

import ast
import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from queue import Empty
from typing import Any

from jupyter_client import AsyncKernelClient
from nbclient import NotebookClient
from nbformat import NotebookNode

from engine.kernel import manager
from engine.kernel.fresh import OBSERVER
from engine.kernel.watch import Watch
from engine.values.example import Example

STARTUP_SECONDS = 120  # the first kernel waits for the imports of the fork server


class KernelNotStarted(RuntimeError):
    """The kernel ended before its first cell, or never answered."""


class Client(NotebookClient):
    """nbclient's client, watched: it knows why its kernel died, and ends one that floods the notebook."""

    def __init__(self, notebook: NotebookNode, kernel: manager.ForkedKernelManager, watch: Watch, output_bytes: int):
        super().__init__(notebook, km=kernel)
        self.watch = watch
        self.output_bytes_left = output_bytes

    def process_message(self, msg: dict[str, Any], cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        if self.watch.verdict:
            return None  # whatever still comes belongs to a kernel that is being killed
        content = msg["content"]
        self.output_bytes_left -= sum(len(str(each)) for each in (content.get("text", ""), *_shown(content)))
        if self.output_bytes_left < 0:
            self.watch.kill("printed more than an example may")
        return super().process_message(msg, cell, cell_index)

    async def _async_poll_kernel_alive(self) -> None:
        """As nbclient does once a second; who debugs a crash waits for it each time."""
        while await self.km.is_alive():
            await asyncio.sleep(0.1)
        if self.task_poll_for_reply:
            self.task_poll_for_reply.cancel()

    async def cause_of_death(self) -> str:
        """Why the kernel is gone, in words."""
        code = await self.km.provisioner.poll()
        if self.watch.verdict or code is None:
            return self.watch.verdict or "the kernel died"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"the process exited with status {code}"

    async def observed(self) -> dict[str, Any]:
        """What :mod:`engine.observing.observer` saw in the kernel; empty for a shell."""
        if self.km.kernel_name != "python3":
            return {}
        ask = f"__import__('sys').modules['{OBSERVER}'].report()"
        message = self.kc.execute("", silent=True, user_expressions={"seen": ask})
        reply = await self.async_wait_for_reply(message)
        seen = reply["content"]["user_expressions"]["seen"]
        return dict(json.loads(ast.literal_eval(seen["data"]["text/plain"])))


def _shown(content: dict[str, Any]) -> Iterable[Any]:
    """What is displayed, a picture for one, in all its forms."""
    data = content.get("data")
    return data.values() if isinstance(data, dict) else ()


@asynccontextmanager
async def opened(
    notebook: NotebookNode,
    example: Example,
    folder: Path,
    environment: Mapping[str, str],
    scratch: Path,
    memory_bytes: int,
    output_bytes: int,
) -> AsyncIterator[Client]:
    """Start a kernel in ``folder``, its sockets in ``scratch``; all that it started is killed when the block ends.

    Raises :class:`KernelNotStarted`.
    """
    try:
        kernel = await manager.start(example, folder, environment, scratch)
    except EOFError:
        raise KernelNotStarted("the process it is forked from ended; does 'import torch, transformers' work?") from None
    watch = Watch(kernel.pid, memory_bytes)
    watching = asyncio.create_task(watch.run())
    client = Client(notebook, kernel, watch, output_bytes)
    try:
        client.kc = kernel.client()
        await _ready(kernel, client.kc)
        client.kc.allow_stdin = False
        yield client
    finally:
        watching.cancel()
        watch.end()
        client.kc.stop_channels()
        await kernel.provisioner.wait()
        await kernel.cleanup_resources()


async def _ready(kernel: manager.ForkedKernelManager, channels: AsyncKernelClient) -> None:
    """Connect once the kernel listens, and wait for its first answer; raises :class:`KernelNotStarted`.

    ``wait_for_ready`` would do, but it listens a fifth of a second longer to what nobody says, and a channel that is
    connected before there is a socket tries again only after a tenth.
    """
    deadline = time.monotonic() + STARTUP_SECONDS
    while not kernel.listens:
        await _still_starting(kernel, deadline)
        await asyncio.sleep(0.005)
    channels.start_channels()
    while True:
        channels.kernel_info()
        with suppress(Empty):
            await channels.get_shell_msg(timeout=1)
            await channels.get_iopub_msg(timeout=0.2)
            return
        await _still_starting(kernel, deadline)


async def _still_starting(kernel: manager.ForkedKernelManager, deadline: float) -> None:
    if not await kernel.is_alive():
        raise KernelNotStarted("it ended before it answered")
    if time.monotonic() > deadline:
        raise KernelNotStarted(f"no answer within {STARTUP_SECONDS} s")
