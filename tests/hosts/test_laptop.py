"""What the page for laptops promises: a script of one's own, outside the repository, behind the command shown there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SHOWN = re.compile(r"^ +\.venv/bin/python (?P<rest>-m standins .*)~/my_script\.py$", re.MULTILINE)


def test_the_command_of_the_page_runs_a_script_from_anywhere(tmp_path: Path) -> None:
    example = (ROOT / "examples/laptop.py").read_text(encoding="utf-8")
    script = tmp_path / "my_script.py"
    script.write_text(example.replace('"out"', repr(str(tmp_path / "out"))), encoding="utf-8")
    shown = SHOWN.search((ROOT / "docs/laptop.rst").read_text(encoding="utf-8"))
    assert shown
    command = [sys.executable, *shlex.split(shown["rest"]), str(script)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert re.search(r"^npu:0: loss 6\.\d+ -> [0-3]\.\d+$", done.stdout, re.MULTILINE), done.stdout
    assert (tmp_path / "out/model.safetensors").exists()


def test_a_shell_of_the_same_kind_has_as_many_cards_as_one_asks_for(tmp_path: Path) -> None:
    typed = f"cd {shlex.quote(str(tmp_path))}\npython -c 'import torch; print(torch.npu.device_count())'\nexit\n"
    done = subprocess.run(
        [sys.executable, "-m", "standins", "bash"],
        cwd=ROOT,
        env={**os.environ, "VIRTUAL_NPU_DEVICES": "8"},
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert (done.returncode, done.stdout) == (0, "8\n"), done.stderr
