"""The path that the guide exists for, rehearsed: on a host with cards, an environment of one's own and CANN."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from engine.__main__ import chosen_limits, parsed
from engine.values.run import UNLIMITED, Limits
from tests.build.small_site import Project
from tests.hosts.conftest import AscendHost

Host = Callable[[int], AscendHost]
DEVICE = "json.load(open(os.environ['STANDINS_REPORT']))['device']"
X = '''"""X"""

# %% train
import torch

model = torch.nn.Linear(2, 1).to("npu:0")
print("loss", model(torch.ones(1, 2, device="npu:0")).sum().item())

# %% many needs=["npu>=2"]
print("cards", torch.npu.device_count())
'''


def test_it_is_taken_for_silicon(host: Host) -> None:
    code = f"import json, os, torch; print({DEVICE}, torch.npu.device_count())"
    done = host(2).run(sys.executable, "-m", "standins", "python", "-c", code)
    assert "'kind': 'npu'" in done.stdout and done.stdout.strip().endswith("2"), done.stdout + done.stderr


def test_the_stand_in_libraries_are_not(host: Host, tmp_path: Path) -> None:
    marked = host(1)
    (marked.cann / "lib64/VIRTUAL_NPU").touch()
    try:
        example = tmp_path / "x.py"
        example.write_text(X)
        refused = marked.run(sys.executable, "-m", "engine", "run", "--real", str(example))
        assert refused.returncode == 2
        assert (
            refused.stderr
            == f"{marked.cann} is a stand-in for CANN, with no chip behind it; source the set_env.sh of a CANN\n"
        )
        code = f"import json, os; print({DEVICE}['kind'])"
        assert marked.run(sys.executable, "-m", "standins", "python", "-c", code).stdout == "virtual-npu\n"
    finally:
        (marked.cann / "lib64/VIRTUAL_NPU").unlink()


@pytest.mark.parametrize("cards", [1, 2, 8])
def test_a_run_is_recorded_from_the_first_command_on(host: Host, tmp_path: Path, cards: int) -> None:
    example, records = tmp_path / "x.py", tmp_path / "records"
    example.write_text(X)
    command = [sys.executable, "-m", "engine", "run", "--real", "--cache", str(tmp_path / "cache")]
    done = host(cards).run(*command, "--record", str(records), str(example))
    assert done.returncode == 0, done.stderr
    record = json.loads((records / "x.py.json").read_text())
    assert record["device"]["kind"] == "npu" and record["device"]["models"] == ["npu:0"]
    assert record["standins"] == []
    assert [cell["outcome"] for cell in record["cells"]] == ["ran", "ran" if cards > 1 else "skipped"]


def test_a_site_is_built_there_and_says_what_it_ran_on(host: Host, tmp_path: Path) -> None:
    """Its example has the name and the cell of one with recorded numbers, and prints another: a chip may."""
    project = Project(tmp_path)
    parent = "\n# %% parent\nimport pathlib, os\nprint(pathlib.Path(f'/proc/{os.getppid()}/cmdline').read_text())\n"
    project.write(
        index="Site\n====\n\n.. cells:: lora_memory.py memory many parent\n\n.. verification::\n",
        lora_memory_py=X.replace("# %% train", "# %% memory") + parent,
    )
    ascend = host(1)
    within = [*ascend.within, sys.executable, "-m", "standins"]
    built = project.finished(project.start(ascend.environment, within=within))
    assert built.code == 0, built.errors
    page = unescape(built.page("index"))
    assert "昇腾 NPU" in page and "虚拟" not in page and "npu>=2" in page
    assert "forkserver" not in page, "what has loaded CANN is not forked"
    record = json.loads((built.site / "verification.json").read_text(encoding="utf-8"))["build"]["lora_memory.py"]
    assert record["device"]["kind"] == "npu" and "npu:0" not in [each["name"] for each in record["standins"]]


def test_an_8b_takes_what_it_takes_unless_told_otherwise() -> None:
    assert chosen_limits(parsed(["run", "x.py"])) == Limits()
    assert chosen_limits(parsed(["run", "--real", "x.py"])) == UNLIMITED
    told = parsed(["run", "--real", "--cell-seconds", "7200", "--memory-gib", "1.5", "x.py"])
    assert chosen_limits(told) == replace(UNLIMITED, cell_seconds=7200, memory_bytes=3 << 29)
