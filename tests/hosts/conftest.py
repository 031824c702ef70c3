"""An Ascend host as programs see it: device files, CANN's variables, and libraries that do what CANN's do.

Nobody has silicon here.  What poses as CANN is a copy of the stand-in libraries without their mark; that this is no
chip only these tests know.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from standins.npu import MARK, MARK_SYMBOL, build
from standins.npu.versions import installed_torch
from standins.provision import home

ROOT = Path(__file__).parents[2]
NODES = ("null", "zero", "full", "random", "urandom", "tty", "ptmx")


@dataclass(frozen=True)
class AscendHost:
    """A host with so many cards."""

    cann: Path
    cards: int

    @property
    def environment(self) -> dict[str, str]:
        """As after ``source set_env.sh``."""
        return {
            "ASCEND_HOME_PATH": str(self.cann),
            "ASCEND_TOOLKIT_HOME": str(self.cann),
            "ASCEND_OPP_PATH": str(self.cann / "opp"),
            "LD_LIBRARY_PATH": str(self.cann / "lib64"),
            "PATH": f"{self.cann / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_NPU_DEVICES": str(self.cards),
            "TASK_QUEUE_ENABLE": "0",
        }

    @property
    def within(self) -> list[str]:
        """The beginning of a command that shall find the device files."""
        files = " ".join(f"/dev/davinci{card}" for card in range(self.cards))
        nodes = " ".join(f"/dev/{name}" for name in NODES)
        script = (
            "new=$(mktemp -d) && mount -t tmpfs none $new && mkdir $new/shm $new/pts && "
            f"cp -a {nodes} $new && ln -s /proc/self/fd $new/fd && mount --bind /dev/shm $new/shm && "
            f'mount --move $new /dev && touch /dev/davinci_manager {files} && exec "$@"'
        )
        return ["unshare", "--mount", "sh", "-c", script, "sh"]

    def run(self, *command: str, cwd: Path = ROOT, **variables: str) -> subprocess.CompletedProcess[str]:
        """A command on this host, where nothing of the tests' own stand-ins is set."""
        own = {name: os.environ[name] for name in ("HOME", "LANG", "TMPDIR", "VIRTUAL_ENV") if name in os.environ}
        environment = {**own, "STANDINS_HOME": str(home()), **self.environment, **variables}
        return subprocess.run(
            [*self.within, *command], cwd=cwd, env=environment, capture_output=True, text=True, timeout=600
        )


def rename_mark(cann: Path, back: bool = False) -> None:
    """Nobody finds the symbol that marks the library by its new name."""
    library = cann / "lib64/libascendcl.so"
    names = [MARK_SYMBOL.encode(), MARK_SYMBOL.upper().encode()]
    library.write_bytes(library.read_bytes().replace(*(reversed(names) if back else names)))


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], AscendHost]:
    """``host(2)`` has two cards."""
    torch = installed_torch()
    built = torch and build.location(home(), torch)
    if not built or not built.is_dir():
        pytest.skip("there are no libraries that could pose as CANN's")
    cann = tmp_path_factory.mktemp("usr-local-Ascend") / "cann"
    shutil.copytree(built, cann, symlinks=True)
    (cann / MARK).unlink()
    rename_mark(cann)
    found = AscendHost(cann, 1)
    if found.run("true").returncode:
        pytest.skip("device files of one's own need rights that this user has not")
    return lambda cards: AscendHost(cann, cards)
