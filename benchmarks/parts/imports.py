"""Seconds to import what every build imports before it does anything: Sphinx, and MyST-NB on top of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time

PROGRAMS = {"import/python": "pass", "import/sphinx": "import sphinx.cmd.build"}
PROGRAMS |= {"import/myst-nb": f"{PROGRAMS['import/sphinx']}; import myst_nb.sphinx_ext"}


def seconds(program: str) -> float:
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return round(time.perf_counter() - begin, 3)


def measure(rounds: int) -> dict[str, list[float]]:
    times = [[seconds(program) for program in PROGRAMS.values()] for _ in range(rounds)]
    return dict(zip(PROGRAMS, map(list, zip(*times, strict=True)), strict=True))


if __name__ == "__main__":
    print(json.dumps(measure(rounds=int(sys.argv[1]))))
