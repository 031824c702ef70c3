"""``make new-chapter`` begins a chapter that builds at once, and touches nothing else."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from small_site import ROOT, Project

INDEX = "Site\n====\n\n.. toctree::\n\n   page\n   other\n"
CELL = '"""X"""\n\n# %% say\nprint("hello")\n'


@pytest.fixture
def site(project: Project) -> Project:
    project.write(index=INDEX, page="Page\n====\n\n.. cells:: x.py say\n", other="Other\n=====\n", x_py=CELL)
    return project


def begin(project: Project, name: str, after: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "docs/_ext/guide/new_chapter.py"), name, after]
    return subprocess.run(command, cwd=project.folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("language", ["zh_CN", "en"])
def test_it_builds_at_once(site: Project, language: str) -> None:
    begun = begin(site, "quantization", "page")
    assert begun.stdout.split() == ["docs/quantization.rst", "examples/quantization.py", "docs/index.rst"]
    built = replace(site, settings={"language": language}).build()
    assert (built.code, built.errors) == (0, "")
    assert "tensor([1, 2, 3])" in built.page("quantization")
    menu = built.page("index")
    assert menu.index("page.html") < menu.index("quantization.html") < menu.index("other.html")


@pytest.mark.parametrize(
    ("name", "after", "sentence"),
    [
        ("page", "other", "docs/page.rst is there already"),
        ("x", "other", "examples/x.py is there already"),
        ("../x", "other", "is no name of a chapter"),
        ("new", "nowhere", "there are page, other"),
        ("new", "", "there are page, other"),
    ],
)
def test_what_can_not_be_is_told_and_nothing_is_written(site: Project, name: str, after: str, sentence: str) -> None:
    before = {path: path.read_text(encoding="utf-8") for path in site.folder.rglob("*.*") if path.is_file()}
    begun = begin(site, name, after)
    assert begun.returncode == 1 and sentence in begun.stderr and "Traceback" not in begun.stderr
    assert before == {path: path.read_text(encoding="utf-8") for path in site.folder.rglob("*.*") if path.is_file()}
