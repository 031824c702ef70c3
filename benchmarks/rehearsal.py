"""What rehearsing at the true size adds to a cold run of the examples, in processor seconds.

    python benchmarks/rehearsal.py [EXAMPLE ...]

All examples are executed and rehearsed once, in a cache that is thrown away, as a cold build does; the processes that
rehearse are counted apart from the others.  Takes as long as that build: some ten minutes on two idle cores.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in (".py", ".sh"))
PERIOD = 0.5  # seconds between two looks
REHEARSER = "engine.rehearser"


def seconds_of(process: psutil.Process) -> float:
    """Processor time of a process tree, with what its ended children took."""
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        own = times.user + times.system + times.children_user + times.children_system
        return float(own) + sum(map(seconds_of, process.children()))
    return 0.0


def rehearser_below(process: psutil.Process) -> psutil.Process | None:
    """The first process below that rehearses: the others that do are its descendants."""
    with contextlib.suppress(psutil.Error):
        for child in process.children():
            found = child if REHEARSER in child.cmdline() else rehearser_below(child)
            if found:
                return found
    return None


def measure(examples: Sequence[Path]) -> tuple[float, float]:
    """Processor seconds of executing these examples, and of rehearsing them."""
    rehearsed = everything = 0.0
    with tempfile.TemporaryDirectory() as cache:
        run = (sys.executable, "-m", "engine", "run", "--cache", cache, *map(str, examples))
        command = psutil.Popen([sys.executable, "-m", "standins", *run], cwd=ROOT, stdout=subprocess.DEVNULL)
        while command.poll() is None:
            everything = max(everything, seconds_of(command))
            if rehearser := rehearser_below(command):
                rehearsed = max(rehearsed, seconds_of(rehearser))
            time.sleep(PERIOD)
        if command.returncode:
            sys.exit(f"the examples ended with exit status {command.returncode}")
    return everything - rehearsed, rehearsed


if __name__ == "__main__":
    executed, rehearsed = measure([Path(name).resolve() for name in sys.argv[1:]] or EXAMPLES)
    share = rehearsed / executed
    print(f"executing {executed:.0f} s, rehearsing {rehearsed:.0f} s of processor time: {share:.0%} more")
