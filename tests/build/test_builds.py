"""Builds side by side, builds broken off, builds repeated: nothing stale, nothing left behind, nothing different."""

from __future__ import annotations

import shutil
import signal
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook
from small_site import ROOT, Project

INDEX = "Site\n====\n\n.. toctree::\n\n   page\n"
PAGE = "Page\n====\n\n.. cells:: x.py say\n"
MARK = f"{time.time_ns()}"  # an argument by which to find the process of an example again


def files(site: Path) -> dict[str, bytes]:
    return {str(path.relative_to(site)): path.read_bytes() for path in sorted(site.rglob("*")) if path.is_file()}


def test_of_two_builds_at_once_one_executes_and_the_other_waits_for_it(project: Project) -> None:
    counted = project.folder / "counted"
    code = f"import time\ntime.sleep(2)\nopen({str(counted)!r}, 'a').write('once')\nprint('said by the run')\n"
    project.write(index=INDEX, page=PAGE, x_py=f'"""X"""\n\n# %% say\n{code}')
    both = [(project.start(site=name), name) for name in ("one", "two")]
    for built in [project.finished(building, name) for building, name in both]:
        assert (built.code, built.errors) == (0, "")
        assert "said by the run" in built.page("page")
    assert counted.read_text() == "once"


def test_an_interrupted_build_ends_what_it_started(project: Project) -> None:
    sleep = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(300) # {MARK}'])\n"
    project.write(index=INDEX, page=PAGE, x_py=f'"""X"""\n\n# %% say\n{sleep}')
    building = project.start()
    deadline = time.monotonic() + 120
    while not started() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert started(), "the example never began"
    building.send_signal(signal.SIGINT)
    assert project.finished(building).code != 0
    for process in started():
        process.wait(timeout=10)
    assert not list((project.folder / "runs").glob("*.json")), "a broken-off run is not kept"


def started() -> list[psutil.Process]:
    found = psutil.process_iter(["cmdline"])
    return [process for process in found if any(MARK in word for word in process.info["cmdline"] or [])]


def test_the_same_tree_gives_the_same_site(project: Project) -> None:
    """From the same runs; a run of its own has its own times."""
    project.write(index=INDEX, page=PAGE, x_py='"""X"""\n\n# %% say\nprint("said by the run")\n')
    clock = {"SOURCE_DATE_EPOCH": "1700000000"}
    one, two = (files(project.build(clock, site=name).site) for name in ("one", "two"))
    assert one.keys() == two.keys()
    assert [name for name in one if one[name] != two[name]] == []


def test_a_run_that_can_not_be_kept_is_shown_all_the_same(project: Project) -> None:
    project.write(index=INDEX, page=PAGE, x_py='"""X"""\n\n# %% say\nprint("said by the run")\n')
    (project.folder / "runs").write_text("a file where the cache should be", encoding="utf-8")
    built = project.build()
    assert (built.code, built.errors) == (0, "")
    assert "said by the run" in built.page("page")


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("docs/_ext/guide/runs/typed_code.py", "未在此运行：", "Not run here:"),
        ("docs/_templates/breadcrumbs.html", "页面导航", "Breadcrumbs"),
        ("docs/_static/guide.css", "--page: #ffffff", "--page: #fffffe"),
    ],
)
def test_what_makes_pages_reaches_unchanged_ones(tmp_path: Path, file: str, old: str, new: str) -> None:
    """An extension, a template, a style (whose address holds its digest)."""
    own = tmp_path / "repository"
    shutil.copytree(ROOT / "docs", own / "docs", ignore=shutil.ignore_patterns("examples", "*.rst"))
    shutil.copy(ROOT / "conf.py", own)
    for name in ("engine", "golden", "requirements"):
        (own / name).symlink_to(ROOT / name)
    project = Project(tmp_path, repository=own)
    project.write(index="Site\n====\n\n.. not-run:: bash\n   :reason: why\n\n   ls\n")
    before = project.build()
    assert (before.code, before.errors) == (0, "")
    page = before.page("index")
    assert project.build().page("index") == page
    path = own / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    assert project.build().page("index") != page


def test_what_the_site_knows_of_all_pages_follows_an_edit_of_one(project: Project) -> None:
    """It is kept for the pages that were not written again, and must be what a build from nothing gives."""
    project.write(index=f"{INDEX}   other\n", page="Page\n====\n\nA llama.\n", other="Other\n=====\n\nAn alpaca.\n")
    project.build()
    project.write(page="Page\n====\n\nA vicuna.\n")
    again, anew = project.build().site, project.build(site="anew").site
    for name in ("llms.txt", "llms-full.txt", "_static/search_index.js"):
        text = (again / name).read_text(encoding="utf-8")
        assert "vicuna" in text and "alpaca" in text and "llama" not in text
        assert text == (anew / name).read_text(encoding="utf-8")


def test_pages_of_examples_share_a_menu_and_others_have_their_own(project: Project) -> None:
    shown = "Page\n====\n\n.. cells:: x.py say\n.. cells:: y.py say\n"
    project.write(index=INDEX, page=shown, x_py='"""X"""\n\n# %% say\n1\n', y_py='"""Y"""\n\n# %% say\n2\n')
    built = project.build()
    assert (built.code, built.errors) == (0, "")
    x, y, page = (menu(built.page(name)) for name in ("examples/x", "examples/y", "page"))
    assert x == y
    assert '<a class="reference internal" href="../page.html">Page</a>' in x and "current" not in x
    assert 'class="current reference internal" href="#">Page</a>' in page


KILLED = """
import os, sys
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.cmd.build import main
StandaloneHTMLBuilder.write_doc = lambda *_: os._exit(9)
main(sys.argv[4:])
"""


def test_a_build_that_is_killed_while_it_writes_leaves_no_stale_page(project: Project) -> None:
    """Sphinx has noted by then that it read them."""
    project.write(index=INDEX, page=PAGE, x_py='"""X"""\n\n# %% say\nprint("said", "by", "one")\n')
    assert "said by one" in project.build().page("page")
    project.write(x_py='"""X"""\n\n# %% say\nprint("said", "by", "two")\n')
    killed = project.finished(project.start(within=[sys.executable, "-c", KILLED]))
    assert killed.code == 9 and "said by one" in killed.page("page")
    built = project.build()
    assert (built.code, built.errors) == (0, "")
    assert "said by two" in built.page("page")


def test_a_page_gives_one_example_its_own_limits(project: Project) -> None:
    sleep = "# %% say\nimport time\ntime.sleep(3)\nprint('said')\n"
    project = Project(project.folder, {"example_limits.cell_seconds": 1})
    page = ":limits: x.py cell_seconds=60\n\n" + PAGE + "\n.. cells:: y.py say\n"
    project.write(index=INDEX, page=page, x_py=f'"""X"""\n\n{sleep}', y_py=f'"""Y"""\n\n{sleep}')
    built = project.build()
    assert "y.py" in built.errors and "still running after 1 s" in built.errors and "x.py" not in built.errors
    assert ":limits:" not in built.page("page") and "cell_seconds" not in built.page("page")
    project.write(page=page.replace("cell_seconds", "seconds"))
    assert "docs/page.rst: ':limits: x.py seconds=60' is no limit" in project.build().errors


def menu(html: str) -> str:
    _, _, behind = html.partition('<div class="wy-menu')
    return behind.partition("</div>")[0]


def test_a_notebook_that_myst_nb_should_execute_is_refused(project: Project) -> None:
    """What executes it is not loaded, and nothing that did not run may look as if it had."""
    notebook = new_notebook(metadata={"mystnb": {"execution_mode": "force"}}, cells=[new_code_cell("print(1)")])
    project.write(index="Site\n====\n\n.. toctree::\n\n   note\n")
    nbformat.write(notebook, project.folder / "docs/note.ipynb")
    built = project.build()
    assert built.code != 0
    assert "examples are executed by engine/ alone" in built.errors
