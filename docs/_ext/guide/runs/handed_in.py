"""Runs handed in from elsewhere, an Ascend host for one: ``records/HOST/NAME.json``, and beside it the notebook.

``python -m engine run --real --record records/HOST ...`` writes both.  What they printed is shown beside what this
build printed where both ran the same code, and only there.  They come from somebody else: a file that is not what it
should be is named in one sentence, and of outputs only text and PNG pictures reach a page.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path

import nbformat
from jsonschema import ValidationError, validate
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from sphinx.application import Sphinx
from sphinx.config import Config

from engine.values import secrets
from engine.values.record import Outcome, Record
from engine.values.run import Run

Runs = Mapping[str, Run]
"""By file name of the example."""

PNG = b"\x89PNG\r\n\x1a\n"
DEVICE = "npu:0"  # the stand-in of this name is the device itself
TEXT, NUMBER = {"type": "string"}, {"type": "number", "minimum": 0}
SHAPE = {  # of a record, as far as pages show it
    "type": "object",
    "required": ["example", "title", "key", "started", "seconds", "device", "versions", "standins", "cells"],
    "properties": {
        "example": TEXT,
        "title": TEXT,
        "key": TEXT,
        "started": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d"},
        "seconds": NUMBER,
        "device": {
            "type": "object",
            "required": ["kind"],
            "properties": {
                "kind": {"enum": ["npu", "virtual-npu", "cpu"]},
                "name": TEXT,
                "cann": TEXT,
                "peak_bytes": NUMBER,
                "models": {"type": "array", "items": TEXT},
            },
        },
        "versions": {"type": "object", "additionalProperties": TEXT},
        "standins": {"type": "array", "items": {"type": "object", "required": ["name"], "additionalProperties": TEXT}},
        "cells": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "line", "outcome"],
                "properties": {"name": TEXT, "seconds": NUMBER, "peak_bytes": NUMBER, "error": TEXT, "need": TEXT},
            },
        },
    },
}

_hosts: dict[str, dict[str, Run]] = {}


def runs_elsewhere() -> Mapping[str, Runs]:
    """What was handed in, by name of the host."""
    return _hosts


def same_cells(ours: Sequence[NotebookNode], theirs: Sequence[NotebookNode]) -> int:
    """With how many cells both notebooks begin that have the same code, the title not among them."""
    pairs = zip(ours[1:], theirs[1:], strict=False)
    return sum(1 for _pair in takewhile(lambda pair: pair[0].source == pair[1].source, pairs))


def with_outputs_elsewhere(example: str, notebook: NotebookNode) -> NotebookNode:
    """After each cell, for every host that ran the same code, a cell of its outputs alone."""
    elsewhere = {host: runs[example] for host, runs in _hosts.items() if example in runs}
    same = {host: same_cells(notebook.cells, run.notebook.cells) for host, run in elsewhere.items()}
    cells = []
    for index, cell in enumerate(notebook.cells):
        cells.append(cell)
        for host, run in elsewhere.items():
            if 0 < index <= same[host] and run.record.cells[index - 1].outcome is Outcome.RAN:
                marks = {"title": cell.metadata.title, "host": host, "example": example, "tags": ["remove-input"]}
                outputs = harmless(run.notebook.cells[index].outputs)
                name = f"{cell.id}-{list(elsewhere).index(host)}"  # a host may have a name of any letters
                cells.append(new_code_cell(cell.source, id=name, metadata=marks, outputs=outputs))
    notebook.cells = cells
    return notebook


def files(config: Config) -> list[Path]:
    """The records, in order of hosts and examples."""
    return sorted(Path(config.records_folder).glob("*/*.json"))


def harmless(outputs: Iterable[NotebookNode]) -> list[NotebookNode]:
    """Of each output what can be nothing but text or a picture; HTML, scripts and SVG are left out."""
    kept = []
    for output in outputs:
        if output.output_type == "stream":
            kept.append(new_output("stream", name=output.name, text=output.text))
        elif output.output_type == "error":
            kept.append(new_output("stream", name="stderr", text=f"{output.ename}: {output.evalue}\n"))
        elif shown := {kind: data for kind, data in output.data.items() if kind == "text/plain" or _is_png(kind, data)}:
            kept.append(new_output("display_data", data=shown))
    return kept


def _is_png(kind: str, data: object) -> bool:
    try:
        return kind == "image/png" and base64.b64decode(str(data)).startswith(PNG)
    except ValueError:
        return False


def read(paths: Iterable[Path]) -> dict[str, dict[str, Run]]:
    """Runs by host and example; what is no record or holds a secret ends the build with a sentence.

    (Sphinx hides its own errors of this kind in a page about itself.)
    """
    hosts: dict[str, dict[str, Run]] = {}
    for path in paths:
        try:
            hosts.setdefault(path.parent.name, {})[path.stem] = _run(path)
        except (ValueError, KeyError, TypeError, AttributeError, OSError, ValidationError) as error:
            reason = getattr(error, "message", None) or str(error)
            message = (
                f"{path} is no run record ({reason[:200]}); 'python -m engine run --real --record FOLDER' writes them"
            )
            raise SystemExit(message) from None
    return hosts


def _run(path: Path) -> Run:
    """Raises an error that says why it is none."""
    data = json.loads(_text(path), parse_constant=_no_number)
    validate(data, SHAPE)
    record = Record.from_json(data)
    notebook = nbformat.reads(_text(path.with_suffix(".ipynb")), as_version=4)
    nbformat.validate(notebook)
    if record.example != path.stem:
        raise ValueError(f"it is one of {record.example}")
    if [cell.metadata.get("title") for cell in notebook.cells[1:]] != [cell.name for cell in record.cells]:
        raise ValueError("its cells are not those of the notebook beside it")
    if record.device.kind == "npu" and any(standin["name"] == DEVICE for standin in record.standins):
        raise ValueError("it says npu, and that npu:0 stood in")
    return Run(notebook, record)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if findings := secrets.find(text):
        raise SystemExit(f"{path}:{findings[0].line}: this {findings[0]}; it is not published")
    return text


def read_all(app: Sphinx) -> None:
    _hosts.clear()
    _hosts.update(read(files(app.config)))


def connect(app: Sphinx) -> None:
    app.add_config_value("records_folder", "records", "", str)
    app.connect("builder-inited", read_all, priority=400)  # before examples are read
