"""Kernels: one that never answers is told, and the first words of one that does are not lost."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.kernel import manager
from engine.values.record import Outcome
from engine.values.run import Run

Write = Callable[..., Path]
Execute = Callable[..., dict[str, Run]]


def test_a_kernel_that_ends_before_it_answers_is_told(
    project: Write, run: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(manager.KERNEL_CLASS, "python3", "nowhere.Kernel")
    first, second = run(project(x_py="# %% one\nprint(1)\n\n# %% two\nprint(2)\n"))["x.py"].record.cells
    assert (first.outcome, second.outcome) == (Outcome.KILLED, Outcome.SKIPPED)
    assert first.error == "its kernel did not start: it ended before it answered"


def test_the_first_words_of_many_kernels_are_all_heard(project: Write, run: Execute) -> None:
    """An output channel that is connected a moment too late would miss them now and then."""
    runs = run(project(**{f"x{number}_py": f"# %% say\nprint({number})\n" for number in range(12)}))
    said = {name: ran.notebook.cells[1].outputs[0].text for name, ran in runs.items()}
    assert said == {f"x{number}.py": f"{number}\n" for number in range(12)}


@pytest.mark.parametrize(("code", "library"), [("import json, os", False), ("import torch", True)])
def test_only_for_an_example_that_needs_them_are_libraries_imported(
    project: Write, tmp_path: Path, code: str, library: bool
) -> None:
    """By the engine, once for all kernels; Python itself tells what it imports, on standard error."""
    folder = project(x_py=f"# %% say\n{code}\nprint('said')\n", y_sh="# %% say\necho said\n")
    files = map(str, sorted(folder.iterdir()))
    command = [sys.executable, "-m", "engine", "run", "--cache", str(tmp_path / "cache"), *files]
    told = {**os.environ, "PYTHONPROFILEIMPORTTIME": "1"}
    ran = subprocess.run(command, env=told, check=True, capture_output=True, text=True)
    assert ran.stdout.count(": 1 cells in") == 2
    imported = {line.rpartition("|")[2].strip() for line in ran.stderr.splitlines()}
    assert ("torch._C" in imported) == library
