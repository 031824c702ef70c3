"""Runs of other devices stand beside those of the build, where they ran the same code; and only there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest
from small_site import ROOT, Built, Project

INDEX = "Site\n====\n\n.. toctree::\n\n   page\n   table\n"
PAGE = "Page\n====\n\n.. cells:: x.py say sum\n"
TABLE = "Table\n=====\n\n.. verification::\n"
SAY = '"""X"""\n\n# %% say\nimport os\nprint("this is", os.environ.get("HOST_NAME", "here"))\n'
SUM = "\n# %% sum\nprint(1 + 1)\n"


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A site with the record of a second machine, which ran a later version of the last cell.

    Nobody has silicon here: what the record says of its device is written by this test.
    """
    project = Project(tmp_path_factory.mktemp("handed-in"))
    project.write(index=INDEX, page=PAGE, table=TABLE, x_py=SAY + "\n# %% sum\nprint(1 + 2)\n")
    example, folder = project.folder / "examples/x.py", project.folder / "records/my-host"
    run = [sys.executable, "-m", "engine", "run", "--cache", project.folder / "there", "--record", folder, example]
    subprocess.run(run, cwd=ROOT, env={**os.environ, "HOST_NAME": "there"}, check=True, stdout=subprocess.DEVNULL)
    change(folder / "x.py.json", device={"kind": "npu", "name": "Ascend910B3", "cann": "9.9.9"})
    project.write(x_py=SAY + SUM)
    return project


@pytest.fixture(scope="module")
def site(handed_in: Project) -> Built:
    built = handed_in.build()
    assert (built.code, built.errors) == (0, "")
    return built


def test_a_cell_that_both_ran_has_a_tab_for_each(site: Built) -> None:
    page = unescape(site.page("page"))
    assert page.index("this is here") < page.index("my-host: 昇腾 NPU Ascend910B3") < page.index("this is there")
    assert "this is there" in unescape(site.page("examples/x"))


def test_a_cell_that_differs_has_none(site: Built) -> None:
    page = site.page("page")
    assert page.count("sd-tab-set") == site.page("examples/x").count("sd-tab-set") > 0
    assert "<span></span>3" not in page and ">3\n" not in page, "what another code printed is not shown"


def test_the_table_has_a_column_for_each(site: Built) -> None:
    table = unescape(site.page("table"))
    assert "my-host" in table and "9.9.9" in table and "例子的另一个版本" in table
    published = json.loads((site.site / "verification.json").read_text(encoding="utf-8"))
    assert published["handed_in"]["my-host"]["x.py"]["device"]["cann"] == "9.9.9"


def test_a_notebook_for_readers_has_only_what_this_build_ran(site: Built) -> None:
    notebook = (site.site / "examples/x.ipynb").read_text(encoding="utf-8")
    assert "this is here" in notebook and "this is there" not in notebook


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "records/bad/x.py.json is no run record"),
        ("\n" + "hf" + "_" + "a1B2" * 8, "records/bad/x.py.json:2: this looks like a secret"),
    ],
)
def test_a_bad_record_is_named_and_nothing_is_built(text: str, said: str, project: Project) -> None:
    project.write(index="Site\n====\n")
    bad = project.folder / "records/bad/x.py.json"
    bad.parent.mkdir(parents=True)
    bad.write_text(text, encoding="utf-8")
    built = project.build()
    assert built.code != 0 and said in built.errors
    assert not (built.site / "index.html").exists()


def change(record: Path, device: dict[str, str]) -> None:
    """Write another device into a record."""
    data = json.loads(record.read_text(encoding="utf-8"))
    data["device"] |= device
    record.write_text(json.dumps(data), encoding="utf-8")
