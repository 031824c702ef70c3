"""A Jupyter kernel for shell examples: one bash for all cells, and the first command that fails ends it.

The well-known ``bash_kernel`` looks only at the last command of a cell and goes on when bash has exited, so that
a failed example can look as if it had run.
"""

from __future__ import annotations

import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ipykernel.kernelbase import Kernel


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
        # How a cell ended: an exit status and a line behind a mark that no command can print by accident.
        self.mark = f"\0{secrets.token_hex(8)} ".encode()
        self.ended = re.compile(re.escape(self.mark) + rb"(\d+) (\d+)\0")
        # A pipe fails where one of its commands does: "train | grep loss" is not well because grep found a line.
        self._send(f"set -eE -o pipefail; trap '{self._tell('$? $LINENO')}' ERR")

    async def do_execute(self, code: str, *_: Any, **__: Any) -> dict[str, Any]:
        with tempfile.NamedTemporaryFile("w", suffix=".sh", encoding="utf-8") as file:
            file.write(code + "\n")
            file.flush()
            self._send(f". '{Path(file.name)}' </dev/null; {self._tell('0 0')}")
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

    def _tell(self, status_and_line: str) -> str:
        """The command that says so, with the mark."""
        return rf'printf "\0%s %d %d\0" {self.mark[1:-1].decode()} {status_and_line}'

    def _show_until_done(self) -> tuple[int, int]:
        """Pass output on as it comes; the exit status and the line of the command that failed, or 0 and 0."""
        pending = b""
        for data in self._read():
            pending += data
            if ended := self.ended.search(pending):
                self._show(pending[: ended.start()])
                return int(ended[1]), int(ended[2])
            complete = pending.rfind(b"\n") + 1  # never half a character, nor half a mark
            self._show(pending[:complete])
            pending = pending[complete:]
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
