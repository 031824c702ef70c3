"""Where there is neither an NPU nor a compiler for the virtual one, the site is built on a plain CPU."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SECONDS = Path(__file__).parents[2] / "engine/seconds.json"
EXAMPLES = Path(__file__).parents[2] / "examples"
WITHOUT_NPU = [sys.executable, "-m", "standins", sys.executable, "-m", "engine", "run"]


def test_examples_run_without_an_npu(tmp_path: Path) -> None:
    """Cells that need one are skipped; all others, and what comes after them, run.

    Not those that train for longer than a minute, and do with the Trainer what shorter ones do: ten minutes of them.
    """
    took = json.loads(SECONDS.read_text(encoding="utf-8"))
    paths = [path for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh")]
    files = sorted(str(path) for path in paths if took.get(path.name, 0) <= 60)
    assert len(files) > len(paths) / 2
    command = [*WITHOUT_NPU, *files, "--cache", str(tmp_path / "runs"), "--record", str(tmp_path / "records")]
    done = subprocess.run(
        command, env={**os.environ, "NPU": "off"}, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False
    )
    failed = [line for line in done.stdout.splitlines() if " in cell " in line]
    assert (done.returncode, failed) == (0, []), done.stderr[-2000:]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "records").glob("*.json")]
    assert [record["device"]["kind"] for record in records] == ["cpu"] * len(files)
