"""Every way in which an example can end badly, in one site: each is named with its page, the rest is built."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import unescape

import psutil
import pytest
from small_site import Built, Project

from engine.values import secrets

SECRET = "hf" + "_" + "a1B2" * 8  # put together here, so that no file of this repository holds what looks like one
MARK = f"{time.time_ns()}"  # an argument by which to find the processes of an example again
SLEEP = f"[sys.executable, '-c', 'import time; time.sleep(1000) # {MARK}']"
FAULTS = {
    "raises": ("raise ValueError('no way')", "failed: ValueError: no way"),
    "exits": ("import sys; sys.exit(3)", "failed: SystemExit: 3"),
    "vanishes": ("import os; os._exit(3)", "killed: the process exited with status 3"),
    "killed": ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed: killed by SIGKILL"),
    "segfault": ("import ctypes; ctypes.string_at(0)", "killed: killed by SIGSEGV"),
    "grows": ("x = b'x' * (3 << 30)\nwhile True: pass", "killed: used more than 2048 MiB of memory"),
    "endless": (
        f"import subprocess, sys; subprocess.Popen({SLEEP}, start_new_session=True)\nwhile True: pass",
        "timed out: still running after 10 s",
    ),
    "floods": ("while True: print('x' * 1000)", "killed: printed more than an example may"),
    "prints_secret": (f"print({SECRET[:3]!r} + {SECRET[3:]!r})", "failed: what it printed looks like a secret"),
    "raises_secret": (f"raise ValueError({SECRET[:3]!r} + {SECRET[3:]!r})", "failed: what it printed looks like a se"),
    "prints_nan": ("print('loss', float('nan'))", "failed: it printed nan"),
}
LIMITS = {"example_limits.cell_seconds": 10, "example_limits.memory_bytes": 2 << 30}
BEFORE = '"""Title"""\n\n# %% before\nprint("said by the run")\n\n# %% culprit\n'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    """One page and one example for each fault, and a good one."""
    project = Project(tmp_path_factory.mktemp("faults"), LIMITS)
    examples = {f"{name}_py": f"{BEFORE}{source}\n" for name, (source, _said) in FAULTS.items()}
    pages = {name: f"Page\n====\n\n.. cells:: {name}.py before culprit\n" for name in (*FAULTS, "good")}
    index = "Site\n====\n\n.. toctree::\n   :glob:\n\n   *\n"
    project.write(index=index, **pages, **examples, good_py=BEFORE + "print('done')\n")
    scratch = project.folder / "tmp"
    scratch.mkdir()
    yield project.build({"TMPDIR": str(scratch)})
    assert not list(scratch.glob("run-*")), "folders of runs are left"


@pytest.mark.parametrize("fault", FAULTS)
def test_the_page_its_line_and_the_line_of_the_example_are_named(fault: str, site: Built) -> None:
    assert site.code != 0
    assert f"docs/{fault}.rst:4: ERROR: examples/{fault}.py:7: cell 'culprit' {FAULTS[fault][1]}" in site.errors
    page = unescape(site.page(fault))
    assert page.count("cell-not-run") == 1 and "said by the run" in page


def test_the_rest_is_built(site: Built) -> None:
    page = site.page("good")
    assert "done" in page and "cell-not-run" not in page


def test_nothing_is_left_and_nothing_leaks(site: Built) -> None:
    assert SECRET not in site.errors
    assert not list(secrets.search(site.site))
    processes = psutil.process_iter(["cmdline"])
    assert not [process for process in processes if MARK in " ".join(process.info["cmdline"] or [])]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A good site, built once."""
    project = Project(tmp_path_factory.mktemp("disk"))
    page = "Site\n====\n\n.. cells:: good.py before culprit\n"
    project.write(index=page, good_py=BEFORE + "print('done')\n")
    assert project.build().code == 0
    return project


def build_on(project: Project, disk: str, folder: str) -> Built:
    """Build again, with such a disk in place of a folder of the project."""
    (project.folder / folder).mkdir(parents=True, exist_ok=True)
    mount = f'mount -t tmpfs -o {disk} none {project.folder / folder} && exec "$@"'
    again = project.finished(
        project.start(site="other", within=["unshare", "--mount", "sh", "-c", mount, "sh"]), "other"
    )
    if "unshare:" in again.errors or "mount:" in again.errors:
        pytest.skip("to mount a small disk needs rights that this user has not")
    return again


@pytest.mark.parametrize("disk", ["size=4k", "ro"])
def test_a_run_that_a_disk_does_not_take_is_shown_all_the_same(disk: str, built: Project) -> None:
    again = build_on(built, disk, "runs")
    assert again.code == 0, again.errors
    assert "done" in again.page("index")


@pytest.mark.parametrize(("disk", "said"), [("size=64k", "No space left on device"), ("ro", "Read-only file system")])
def test_a_site_that_a_disk_does_not_take_is_an_error_that_says_so(disk: str, said: str, built: Project) -> None:
    again = build_on(built, disk, "other/html")
    assert again.code != 0 and said in again.errors
    assert "done" in (built.folder / "site/html/index.html").read_text(encoding="utf-8"), "what there was remains"
