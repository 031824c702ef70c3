"""Nothing that a command starts outlives it."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

import psutil

PR_SET_CHILD_SUBREAPER = 36  # of linux/prctl.h


def adopt_orphans() -> None:
    """Become, on Linux, the parent of what our descendants leave behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def wait_for(pid: int) -> int:
    """The exit code of this child; orphans that end meanwhile are let go."""
    while True:
        ended, status = os.wait()
        if ended == pid:
            return os.waitstatus_to_exitcode(status)


def end_the_rest() -> None:
    """Kill what still lives, a torchrun and its ranks for example."""
    left = psutil.Process().children(recursive=True)
    for process in left:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(left, timeout=10)
