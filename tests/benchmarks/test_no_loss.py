"""What makes the builds fast can be counted, so that a loss is seen on a busy machine too."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from benchmarks.builds import TORCH, Contest, edited, imported
from benchmarks.contestants import COLD, EXAMPLE, PROSE, UNCHANGED, Contestant, guide
from benchmarks.measure import CommandFailed, measure, tree_bytes
from benchmarks.project import pages, write_guide

ENVIRONMENT = {"OMP_NUM_THREADS": "1"}


def test_each_step_executes_what_it_must_and_torch_is_imported_once(project: Path) -> None:
    """Two examples that do nothing: cold both, unchanged and prose none, one edited one."""
    two, counts = pages(2, ["trivial"]), {}
    write_guide(project, two)
    cold = imported(guide(), project, ENVIRONMENT)
    for step in (UNCHANGED, PROSE, EXAMPLE):
        write_guide(project, edited(two, step))
        counts[step] = measure(guide().command, project, ENVIRONMENT).executions
    assert counts == {UNCHANGED: 0, PROSE: 0, EXAMPLE: 1}
    assert cold[TORCH] == 1, "all kernels are forked from one process that imported it"
    assert cold["engine.kernel.manager"] == 1, "no kernel imports what manages kernels"
    write_guide(project, edited(two, EXAMPLE))
    unchanged = imported(guide(), project, ENVIRONMENT)
    assert unchanged["myst_nb.sphinx_ext"] == 1
    executing = [TORCH, "sqlalchemy", "jupyter_cache", "nbclient", "jupyter_client", "jupytext", "psutil"]
    executing += ["asyncio", "IPython.core"]
    assert not [name for name in executing if unchanged[name]], "nothing is executed, so nothing of it is imported"


FORKING = """
import os, time
data = bytes(range(256)) * (1 << 18)
os.fork()
os.write(1, b"ready")
time.sleep(60)
"""


def test_memory_shared_by_a_fork_counts_once() -> None:
    """A child that only holds what its parent allocated adds next to nothing."""
    with subprocess.Popen([sys.executable, "-c", FORKING], stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.read(2 * len("ready")) == b"readyready"
        total = tree_bytes(process.pid)
        for each in [*psutil.Process(process.pid).children(), process]:
            each.kill()
    assert 64 << 20 < total < 110 << 20


def test_a_command_that_fails_is_not_measured(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"status 3\nwhy"):
        measure(["bash", "-c", "echo why; exit 3"], tmp_path, {})


CRASHES_ONCE = "test -e ../crashed || { touch ../crashed; echo why >&2; exit 1; }"


def test_a_peer_that_crashes_begins_again_and_the_crash_is_told(tmp_path: Path) -> None:
    peer = Contestant("peer", "Peer", write_guide, ("bash", "-c", CRASHES_ONCE), (COLD, UNCHANGED), tries=2)
    contest = Contest(tmp_path, pages(1), ENVIRONMENT)
    contest.run([peer], rounds=1)
    rows = {row.name: row for row in contest.rows([peer])}
    assert rows["crashes/peer"].value == 1
    assert {"cold/peer", "unchanged/peer"} <= rows.keys()


def test_a_peer_that_always_crashes_has_no_times_and_our_own_crash_is_an_error(tmp_path: Path) -> None:
    peer = Contestant("peer", "Peer", write_guide, ("false",), (COLD,), tries=2)
    contest = Contest(tmp_path, pages(1), ENVIRONMENT)
    contest.run([peer], rounds=1)
    assert [(row.name, row.value) for row in contest.rows([peer])] == [("crashes/peer", 2)]
    with pytest.raises(CommandFailed):
        contest.run([replace(peer, tries=1)], rounds=1)


def test_every_form_of_an_example_has_the_same_cells(tmp_path: Path) -> None:
    """Each peer's project holds the code of every cell as the guide's example has it."""
    from benchmarks import project as forms

    one = pages(1)
    forms.write_guide(tmp_path / "guide", one)
    forms.write_gallery(tmp_path / "gallery", one)
    forms.write_scripts(tmp_path / "scripts", one)
    forms.write_notebooks(tmp_path / "notebooks", one)
    notebook = forms.nbformat.read(tmp_path / "notebooks/docs/training_000.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    assert code == [code for _name, code in one[0].cells]
    for form in ("guide/examples", "gallery/examples", "scripts"):
        text = (tmp_path / form / "training_000.py").read_text(encoding="utf-8")
        for cell in code:
            assert cell in text


def test_an_unchanged_file_keeps_its_time(tmp_path: Path) -> None:
    """Else every tool would take an unchanged project for an edited one."""
    write_guide(tmp_path, pages(2))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    write_guide(tmp_path, edited(pages(2), PROSE))
    changed = {path.name for path, when in before.items() if path.stat().st_mtime_ns != when}
    assert changed == {"training_000.rst"}
    assert edited(pages(2), COLD) == pages(2)
