"""Several machines execute the examples between them, evenly, and what they kept is put together by copying files."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import shards as simulated
from benchmarks.shards import EXAMPLES, MACHINES, share_of_ideal
from engine import shards
from engine.shards import Shard, recorded

Write = Callable[..., Path]


@pytest.mark.parametrize("machines", MACHINES)
@pytest.mark.parametrize("examples", EXAMPLES)
def test_machines_are_busy_alike(examples: int, machines: int) -> None:
    assert 0.85 <= share_of_ideal(machines, examples) <= 1


def test_a_bad_division_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulated, "divided", lambda seconds, parts: [list(seconds), *[[]] * (parts - 1)])
    assert share_of_ideal(4, 200) < 0.3


def test_every_example_is_in_one_shard_whatever_the_order(project: Write) -> None:
    from engine.values.example import read

    folder = project(**{f"x{number}_py": f"# %% say\nprint({number})\n" for number in range(7)})
    examples = [read(path) for path in sorted(folder.iterdir())]
    seconds = {"x3.py": 50.0, "x5.py": 10.0}  # the others are new
    parts = [Shard(number, 3).taken(examples, seconds) for number in (1, 2, 3)]
    assert sorted(example.name for part in parts for example in part) == [example.name for example in examples]
    again = [Shard(number, 3).taken(examples[::-1], seconds) for number in (1, 2, 3)]
    assert [{each.name for each in part} for part in again] == [{each.name for each in part} for part in parts]


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "1/0", "a/b"])
def test_what_is_no_shard_is_told(text: str, project: Write) -> None:
    command = [
        sys.executable,
        "-m",
        "engine",
        "run",
        "--shard",
        text,
        str(project(x_py="# %% say\nprint(1)\n") / "x.py"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, f"'{text}' is no shard; write '2/8' for the second of eight\n")


def test_what_shards_kept_is_all_that_one_machine_needs(project: Write, tmp_path: Path) -> None:
    folder = project(**{f"x{number}_py": f"# %% say\nprint({number})\n" for number in range(4)})

    def run(cache: str, *options: str) -> str:
        command = [sys.executable, "-m", "engine", "run", "--cache", str(tmp_path / cache), *options]
        files = map(str, sorted(folder.iterdir()))
        return subprocess.run([*command, *files], check=True, stdout=subprocess.PIPE, text=True).stdout

    printed = [run(f"shard-{number}", "--shard", f"{number}/2") for number in (1, 2)]
    assert [text.count(": 1 cells in") for text in printed] == [2, 2]
    for number in (1, 2):
        shutil.copytree(tmp_path / f"shard-{number}", tmp_path / "together", dirs_exist_ok=True)
    assert run("together") == ""


def test_accepted_seconds_are_those_of_the_last_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "SECONDS", tmp_path / "seconds.json")
    shards.SECONDS.write_text(json.dumps({"a.py": 3, "b.py": 4}), encoding="utf-8")
    shards.record([("b.py", 6.4)])
    assert recorded() == {"a.py": 3, "b.py": 6}
