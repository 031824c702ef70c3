"""Where there is neither an NPU nor a compiler for the virtual one, the site is built on a plain CPU."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT_NPU = [sys.executable, "-m", "standins", sys.executable, "-m", "engine", "run"]


def test_every_example_runs_without_an_npu(tmp_path: Path) -> None:
    """Cells that need one are skipped; all others, and what comes after them, run."""
    files = sorted(str(path) for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh"))
    command = [*WITHOUT_NPU, *files, "--cache", str(tmp_path / "runs")]
    done = subprocess.run(
        command, env={**os.environ, "NPU": "off"}, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False
    )
    failed = [line for line in done.stdout.splitlines() if " in cell " in line]
    assert (done.returncode, failed) == (0, []), done.stderr[-2000:]
    assert len(list((tmp_path / "runs").glob("*.json"))) == len(files)
