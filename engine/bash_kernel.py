"""A Jupyter kernel for shell examples: one bash for all cells, and the first command that fails ends it.

The well-known ``bash_kernel`` looks only at the last command of a cell and goes on when bash has exited, so that
a failed example can look as if it had run.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ipykernel.kernelbase import Kernel

# An exit status and a line between two NUL bytes: what no command prints by accident.
PROLOGUE = r"""set -eE; trap 'printf "\0%d %d\0" $? $LINENO' ERR"""
EPILOGUE = r"printf '\0000 0\0'"


class BashKernel(Kernel):
    """stdout and stderr come as one stream, in the order a terminal would show them."""

    implementation = "bash"
    implementation_version = "1"
    banner = "bash"
    language_info = {"name": "bash", "mimetype": "text/x-sh", "file_extension": ".sh"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bash = subprocess.Popen(
            ["bash"], bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self._send(PROLOGUE)

    async def do_execute(self, code: str, *_: Any, **__: Any) -> dict[str, Any]:
        with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
            file.write(code + "\n")
            file.flush()
            self._send(f". '{Path(file.name)}' </dev/null; {EPILOGUE}")
            status, line = self._show_until_done()
        if status == 0:
            return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}
        where = f"line {line}: " if line else ""
        error = {"ename": "ExitStatus", "evalue": f"{where}exit status {status}", "traceback": []}
        self.send_response(self.iopub_socket, "error", error)
        return {"status": "error", "execution_count": self.execution_count, **error}

    def do_shutdown(self, restart: bool) -> dict[str, Any]:
        self.bash.kill()
        return {"status": "ok", "restart": restart}

    def _send(self, command: str) -> None:
        assert self.bash.stdin
        self.bash.stdin.write(command.encode() + b"\n")

    def _show_until_done(self) -> tuple[int, int]:
        """Pass output on as it comes; the exit status and the line of the command that failed, or 0 and 0."""
        pending = b""
        for data in self._read():
            shown, _, rest = (pending + data).partition(b"\0")
            complete = shown.rfind(b"\n") + 1 if not rest else len(shown)  # never half a character
            self._show(shown[:complete])
            pending = shown[complete:] + (b"\0" + rest if rest else b"")
            if rest.endswith(b"\0"):
                status, line = rest[:-1].split()
                return int(status), int(line)
        self._show(pending)
        return self.bash.wait(), 0

    def _read(self) -> Iterator[bytes]:
        assert self.bash.stdout
        while data := self.bash.stdout.read(65536):
            yield data

    def _show(self, text: bytes) -> None:
        if text:
            stream = {"name": "stdout", "text": text.decode(errors="replace")}
            self.send_response(self.iopub_socket, "stream", stream)
