"""Seconds to import what every build imports before it does anything, and what the kernels' imports weigh."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

EXTENSIONS = Path(__file__).parents[2] / "docs/_ext"
MEBIBYTE = 1 << 20

SPHINX = "import sphinx.cmd.build"
WITHOUT_EXECUTION = "from guide.building.no_execution import connect; connect(None)"
PROGRAMS = {
    "import/python": "pass",
    "import/sphinx": SPHINX,
    "import/myst-nb": f"{SPHINX}; import myst_nb.sphinx_ext",
    "import/guide": f"{SPHINX}; {WITHOUT_EXECUTION}; import myst_nb.sphinx_ext",
}
PRELOAD = "import psutil, engine.kernel.preload; print(psutil.Process().memory_full_info().pss)"


def seconds(program: str) -> float:
    begin = time.perf_counter()
    python(program)
    return round(time.perf_counter() - begin, 3)


def python(program: str) -> str:
    path = os.pathsep.join([str(EXTENSIONS), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}
    ).stdout


def measure(rounds: int) -> dict[str, list[float]]:
    times = [[seconds(program) for program in PROGRAMS.values()] for _ in range(rounds)]
    found = dict(zip(PROGRAMS, map(list, zip(*times, strict=True)), strict=True))
    return {**found, "import/memory": [round(int(python(PRELOAD)) / MEBIBYTE)]}


if __name__ == "__main__":
    print(json.dumps(measure(rounds=int(sys.argv[1]))))
