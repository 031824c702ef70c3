"""``python -m standins COMMAND ...`` runs a command where the hubs and the device stand in.

``python -m standins --rehearse [--card GIB] [--cards N] [--model ID] FILE.py`` says what of each card it would take.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from standins import hub, npu
from standins.assets import PreparationError
from standins.processes import adopt_orphans, end_the_rest, wait_for
from standins.provision import REPORT, Provision, home, join, write_report
from standins.rehearsal.command import parsed, rehearse
from standins.rehearsal.settings import offered

LONGEST_TMPDIR = 50  # characters: a kernel's sockets lie three folders below, and an address has 108


@contextmanager
def provided() -> Iterator[Provision]:
    """Start every stand-in; the environment of the result leads to them until the block ends."""
    activate()
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(scratch_folder()))
        rooms = [stack.enter_context(room.provide(home(), scratch)) for room in (npu, hub)]
        report = scratch / "standins.json"
        rooms.append(Provision(environment={REPORT: str(report), **private_folders(scratch)}))
        joined = join(rooms)
        if joined.device and joined.device.kind == "virtual-npu":
            joined = replace(joined, rehearsal=offered(joined.content))
        write_report(joined, report)
        yield joined


def scratch_folder() -> tempfile.TemporaryDirectory[str]:
    """Removed with all that programs leave in it.

    Raises :class:`PreparationError` where a socket could have no address below it, which is 108 characters long.
    """
    short = len(tempfile.gettempdir()) <= LONGEST_TMPDIR
    try:
        folder = None if short else "/tmp"
        return tempfile.TemporaryDirectory(prefix="standins-", dir=folder, ignore_cleanup_errors=True)
    except OSError as error:
        raise PreparationError(
            f"{error.filename}: {error.strerror}; set TMPDIR to a folder that can be written, its path no longer "
            f"than {LONGEST_TMPDIR} characters."
        ) from error


def private_folders(scratch: Path) -> dict[str, str]:
    """What programs put into the home and the temporary folder without being asked; ``matplotlib`` lists fonts."""
    folders = {"TMPDIR": scratch / "tmp", "IPYTHONDIR": scratch / "ipython", "DATA_GYM_CACHE_DIR": scratch / "data-gym"}
    for folder in folders.values():
        folder.mkdir()
    fonts = home() / "matplotlib"
    with suppress(OSError):
        fonts.mkdir(exist_ok=True)
    folders["MPLCONFIGDIR"] = fonts if os.access(fonts, os.W_OK) else scratch
    return {name: str(folder) for name, folder in folders.items()}


def activate() -> None:
    """Let ``python``, ``pip``, ``hf`` and ``torchrun`` be those of this environment, as when it is activated."""
    own = str(Path(sys.executable).parent)
    if own not in os.environ["PATH"].split(os.pathsep):
        os.environ["PATH"] = own + os.pathsep + os.environ["PATH"]
        os.environ["VIRTUAL_ENV"] = sys.prefix


def run(command: list[str], folder: Path | None = None) -> int:
    """The command's exit code; Ctrl-C and SIGTERM reach it, and nothing of what it started outlives it."""
    with provided() as provision:
        adopt_orphans()
        child = subprocess.Popen(command, env=provision.applied(os.environ), cwd=folder)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal has sent it to the child already
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        code = wait_for(child.pid)
        end_the_rest()
    return code if code >= 0 else 128 - code


def rehearsed(arguments: list[str]) -> int:
    """Rehearse, say what was found; 0 where everything fits, else the command's exit code or 1."""
    asked = parsed(arguments)
    report = rehearse(asked, run)
    print(*report.lines(), sep="\n", flush=True)
    if asked.report:
        asked.report.write_text(report.json() + "\n", encoding="utf-8")
    return report.exit_code or int(not report.fits)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    if not arguments:
        sys.exit("usage: python -m standins COMMAND [ARGUMENT ...]")
    try:
        sys.exit(rehearsed(arguments[1:]) if arguments[0] == "--rehearse" else run(arguments))
    except (PreparationError, ValueError) as error:
        sys.exit(f"{error}")
