"""Kernels as jupyter_client manages them, but forked (see :mod:`engine.kernel.forked`) instead of executed."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.provisioning import LocalProvisioner

from engine.kernel import forked
from engine.values.example import Example

KERNEL_CLASS = {"python3": "ipykernel.ipkernel.IPythonKernel", "bash": "engine.kernel.shell.BashKernel"}
ARGUMENTS = {
    # A page shows what ``python FILE`` prints: the value of a cell's last expression is not among it.
    "python3": ["--HistoryManager.hist_file=:memory:", "--InteractiveShell.ast_node_interactivity=none"],
    "bash": [],
}


class ForkedProcess:
    """What :class:`LocalProvisioner` asks of a process, over :mod:`multiprocessing`."""

    stdin = stdout = stderr = None

    def __init__(self, argv: list[str], cwd: str, environment: dict[str, str], libraries: bool, programs: bool) -> None:
        context = forked.start_server(environment, libraries or programs)
        self._process = context.Process(target=forked.be_kernel, args=(argv, cwd, environment, libraries, programs))
        self._process.start()
        assert self._process.pid
        self.pid: int = self._process.pid

    def poll(self) -> int | None:
        """The exit code, negative for a signal; None while it lives."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int | None:
        self._process.join(timeout)
        return self._process.exitcode

    def send_signal(self, signum: int) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            os.kill(self.pid, signum)

    def kill(self) -> None:
        self._process.kill()

    def terminate(self) -> None:
        self._process.terminate()


class ForkProvisioner(LocalProvisioner):
    """Launches a kernel by forking instead of executing its command."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict[str, Any]:
        example = self.parent.example
        needs = example.needs_libraries, example.starts_programs
        self.process = ForkedProcess(cmd, kwargs["cwd"], dict(kwargs["env"]), *needs)
        self.pid = self.pgid = self.process.pid  # setsid makes them the same
        return dict(self.connection_info)

    async def wait(self) -> int | None:
        """Told by the process itself; jupyter_client looks every tenth of a second."""
        if self.process:
            await asyncio.to_thread(self.process.wait)
        return await super().wait()  # type: ignore[no-any-return]


class _Specs(KernelSpecManager):
    """The two kernels there are; whatever is installed on this machine plays no part."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        argv = ["-f", "{connection_file}", f"--IPKernelApp.kernel_class={KERNEL_CLASS[kernel_name]}"]
        return KernelSpec(argv=argv, display_name=kernel_name, language=kernel_name)


class ForkedKernelManager(AsyncKernelManager):
    """Manages one forked kernel, reached through sockets in its own folder: no port is taken."""

    example: Example

    async def _async_pre_start_kernel(self, **kwargs: Any) -> tuple[list[str], dict[str, Any]]:
        self.provisioner = ForkProvisioner(kernel_id="forked", kernel_spec=self.kernel_spec, parent=self)
        command, options = await super()._async_pre_start_kernel(**kwargs)
        return command, options

    @property
    def pid(self) -> int:
        """Process id, and process group, of the kernel."""
        return int(self.provisioner.pid)

    @property
    def listens(self) -> bool:
        """Whether all its sockets are there."""
        ports = (self.shell_port, self.iopub_port, self.stdin_port, self.control_port)
        return all(Path(f"{self.ip}-{port}").exists() for port in ports)


async def start(example: Example, folder: Path, environment: Mapping[str, str], scratch: Path) -> ForkedKernelManager:
    """Start a kernel for it in ``folder``; its sockets and connection file live in ``scratch``."""
    manager = ForkedKernelManager(
        kernel_name=example.language,
        kernel_spec_manager=_Specs(),
        transport="ipc",
        connection_file=str(scratch / "kernel.json"),
    )
    manager.example = example
    await manager.start_kernel(cwd=str(folder), env=dict(environment), extra_arguments=ARGUMENTS[example.language])
    return manager
