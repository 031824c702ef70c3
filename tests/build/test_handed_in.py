"""Runs of other devices stand beside those of the build, where they ran the same code; and only there."""

from __future__ import annotations

import json
import subprocess
import sys
from html import unescape
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from small_site import ROOT, Built, Project

INDEX = "Site\n====\n\n.. toctree::\n\n   page\n   table\n"
PAGE = "Page\n====\n\n.. cells:: x.py say sum\n"
TABLE = "Table\n=====\n\n.. verification::\n"
SAY = '"""X"""\n\n# %% say\nprint("this", "is", "here")\n'
HOST = "Atlas 800T A2, 昇腾910B, a.b"
EVIL = {
    "text/html": "<script>evil()</script>",
    "application/javascript": "evil()",
    "image/svg+xml": "<svg onload='evil()'/>",
    "image/png": "evil()",
    "text/markdown": "<b onclick='evil()'>",
}
SUM = "\n# %% sum\nprint(1 + 1)\n"


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A site with the record of a second machine, which ran a later version of the last cell.

    Nobody has silicon here: what the record says of its device is written by this test.
    """
    project = Project(tmp_path_factory.mktemp("handed-in"))
    project.write(index=INDEX, page=PAGE, table=TABLE, x_py=SAY + "\n# %% sum\nprint(1 + 2)\n")
    example, folder = project.folder / "examples/x.py", project.folder / "records" / HOST
    run = [sys.executable, "-m", "engine", "run", "--cache", project.folder / "there", "--record", folder, example]
    subprocess.run(run, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    printed = folder / "x.py.ipynb"
    printed.write_text(printed.read_text(encoding="utf-8").replace("this is here", "this is there"), encoding="utf-8")
    change(folder / "x.py.json", device={"kind": "npu", "name": "Ascend910B3", "cann": "9.9.9"})
    plant(folder / "x.py.ipynb")
    project.write(x_py=SAY + SUM)
    return project


@pytest.fixture(scope="module")
def site(handed_in: Project) -> Built:
    built = handed_in.build()
    assert (built.code, built.errors) == (0, "")
    return built


def test_a_cell_that_both_ran_has_a_tab_for_each(site: Built) -> None:
    page = unescape(site.page("page"))
    assert page.index("this is here") < page.index(f"{HOST}: 昇腾 NPU Ascend910B3") < page.index("this is there")
    assert "this is there" in unescape(site.page("examples/x"))


def test_a_cell_that_differs_has_none(site: Built) -> None:
    page = site.page("page")
    assert page.count("sd-tab-set") == site.page("examples/x").count("sd-tab-set") > 0
    assert "<span></span>3" not in page and ">3\n" not in page, "what another code printed is not shown"


def test_the_table_has_a_column_for_each(site: Built) -> None:
    table = unescape(site.page("table"))
    assert HOST in table and "9.9.9" in table and "例子的另一个版本" in table
    published = json.loads((site.site / "verification.json").read_text(encoding="utf-8"))
    assert published["handed_in"][HOST]["x.py"]["device"]["cann"] == "9.9.9"


def test_the_page_says_where_to_send_them(project: Project) -> None:
    project.write(index="Site\n====\n\n.. where-to-send::\n")
    assert "pull request" in project.build({"REPOSITORY_URL": ""}).page("index")
    known = project.build({"REPOSITORY_URL": "https://example.org/guide.git"}, site="known").page("index")
    assert 'href="https://example.org/guide/issues/new"' in known


def test_a_notebook_for_readers_has_only_what_this_build_ran(site: Built) -> None:
    notebook = (site.site / "examples/x.ipynb").read_text(encoding="utf-8")
    assert "this is here" in notebook and "this is there" not in notebook


def test_of_outputs_only_what_can_do_nothing_reaches_a_page(site: Built) -> None:
    for name in ("page", "examples/x"):
        page = site.page(name)
        assert "evil()" not in page and "said in plain text" in page
        assert "&lt;i&gt;no tag&lt;/i&gt;" in page and "<i>no tag</i>" not in page


GOOD = {
    "example": "x.py", "title": "X", "key": "0", "started": "2026-01-01T00:00:00+00:00", "seconds": 1.0,
    "device": {"kind": "npu", "name": "Ascend910B3"}, "versions": {"Python": "3.11"}, "standins": [],
    "cells": [{"name": "say", "line": 3, "outcome": "ran"}],
}  # fmt: skip
STANDIN = {"name": "npu:0", "zh": "", "en": "", "source": "", "licence": ""}
NOTEBOOK = new_notebook(cells=[new_markdown_cell("X"), new_code_cell("1", metadata={"title": "say"})])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "is no run record ('example' is a required property)"),
        ("[]", "is no run record ([] is not of type 'object')"),
        ("", "is no run record (Expecting value"),
        ("\n" + "hf" + "_" + "a1B2" * 8, "x.py.json:2: this looks like a secret"),
        (json.dumps(GOOD | {"seconds": float("nan")}), "(NaN is no number)"),
        (json.dumps(GOOD | {"seconds": "many"}), "('many' is not of type 'number')"),
        (json.dumps(GOOD | {"device": {"kind": "tpu"}}), "('tpu' is not one of ['npu', 'virtual-npu', 'cpu'])"),
        (json.dumps(GOOD | {"device": {"kind": "npu", "colour": "red"}}), "unexpected keyword argument 'colour'"),
        (json.dumps(GOOD | {"example": "y.py"}), "(it is one of y.py)"),
        (json.dumps(GOOD | {"cells": []}), "(its cells are not those of the notebook beside it)"),
        (json.dumps(GOOD | {"standins": [STANDIN]}), "(it says npu, and that npu:0 stood in)"),
    ],
)
def test_a_bad_record_is_named_and_nothing_is_built(text: str, said: str, project: Project) -> None:
    built = with_record(project, text, NOTEBOOK)
    assert built.code != 0 and "records/bad/x.py.json" in built.errors and said in built.errors, built.errors
    assert "Traceback" not in built.errors
    assert not (built.site / "index.html").exists()


def test_a_notebook_that_is_none_or_missing_is_named(project: Project) -> None:
    for notebook in (None, {"cells": "none"}):
        built = with_record(project, json.dumps(GOOD), notebook)
        assert built.code != 0 and "records/bad/x.py.json is no run record (" in built.errors
        assert "Traceback" not in built.errors


def with_record(project: Project, record: str, notebook: object) -> Built:
    project.write(index="Site\n====\n")
    folder = project.folder / "records/bad"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "x.py.json").write_text(record, encoding="utf-8")
    if notebook:
        (folder / "x.py.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    return project.build()


def plant(notebook: Path) -> None:
    """What somebody could hand in who means harm."""
    executed = nbformat.read(notebook, as_version=4)
    executed.cells[1].outputs += [new_output("display_data", data={kind: text}) for kind, text in EVIL.items()]
    executed.cells[1].outputs.append(new_output("display_data", data={**EVIL, "text/plain": "said in plain text"}))
    executed.cells[1].outputs.append(new_output("stream", text="<i>no tag</i>\n"))
    nbformat.write(executed, notebook)


def change(record: Path, device: dict[str, str]) -> None:
    """Write another device into a record, where nothing stands in."""
    data = json.loads(record.read_text(encoding="utf-8"))
    data["device"] |= device
    data["standins"] = []
    record.write_text(json.dumps(data), encoding="utf-8")
