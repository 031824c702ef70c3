"""Where there is neither an NPU nor a compiler for the virtual one, the site is built on a plain CPU."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SECONDS = Path(__file__).parents[2] / "engine/seconds.json"
EXAMPLES = Path(__file__).parents[2] / "examples"
SHORTENED = Path(__file__).with_name("shortened") / "sitecustomize.py"
LONG = 15  # seconds
WITHOUT_NPU = [sys.executable, "-m", "standins", sys.executable, "-m", "engine", "run"]


def test_examples_run_without_an_npu(tmp_path: Path) -> None:
    """Cells that need one are skipped; all others, and what comes after them, run.

    Training in those that take long is shortened.  Shells that take long only start other examples, again and again.
    """
    took = json.loads(SECONDS.read_text(encoding="utf-8"))
    paths = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".py", ".sh"))
    long = [path for path in paths if took.get(path.name, 0) > LONG]
    files = [path for path in paths if path not in long]
    files += [shortened(path, tmp_path / "examples") for path in long if path.suffix == ".py"]
    command = [*WITHOUT_NPU, *map(str, files), "--cache", str(tmp_path / "runs"), "--record", str(tmp_path / "records")]
    done = subprocess.run(
        command, env={**os.environ, "NPU": "off"}, cwd=EXAMPLES.parent, capture_output=True, text=True, check=False
    )
    failed = [line for line in done.stdout.splitlines() if " in cell " in line]
    assert (done.returncode, failed) == (0, []), done.stderr[-2000:]
    records = [json.loads(path.read_text(encoding="utf-8")) for path in (tmp_path / "records").glob("*.json")]
    assert [record["device"]["kind"] for record in records] == ["cpu"] * len(files)


def shortened(path: Path, folder: Path) -> Path:
    """A copy, under another name, for its numbers are not those that are recorded; its data beside it."""
    folder.mkdir(exist_ok=True)
    for data in path.parent.glob("*.jsonl"):
        shutil.copy(data, folder)
    code = f"exec(open({str(SHORTENED)!r}).read())\n"
    copy = folder / f"short_{path.name}"
    copy.write_text(re.sub(r"^# %%.*\n", lambda marker: marker[0] + code, path.read_text(), count=1, flags=re.M))
    return copy
