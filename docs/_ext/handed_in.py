"""Runs handed in from elsewhere, an Ascend host for one: ``records/HOST/NAME.json``, and beside it the notebook.

``python -m engine run --real --record records/HOST ...`` writes both.  What they printed is shown beside what this
build printed where both ran the same code, and only there; they are read with the suspicion that a build has for its
own runs.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

from engine import secrets
from engine.record import Outcome, Record
from engine.run import Run

Runs = Mapping[str, Run]
"""By file name of the example."""

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
                outputs = run.notebook.cells[index].outputs
                cells.append(new_code_cell(cell.source, id=f"{cell.id}-{host}", metadata=marks, outputs=outputs))
    notebook.cells = cells
    return notebook


def files(config: Config) -> list[Path]:
    """The records, in order of hosts and examples."""
    return sorted(Path(config.records_folder).glob("*/*.json"))


def read(paths: Iterable[Path]) -> dict[str, dict[str, Run]]:
    """Runs by host and example; a file that is no record, or holds a secret, is an error that names it."""
    hosts: dict[str, dict[str, Run]] = {}
    for path in paths:
        try:
            record = Record.from_json(json.loads(_text(path)))
            notebook = path.with_suffix(".ipynb")
            executed = nbformat.reads(_text(notebook), as_version=4) if notebook.exists() else new_notebook()
        except (ValueError, KeyError, TypeError) as error:
            message = f"{path} is no run record ({error}); 'python -m engine run --record FOLDER' writes them"
            raise ConfigError(message) from error
        hosts.setdefault(path.parent.name, {})[record.example] = Run(executed, record)
    return hosts


def _text(path: Path) -> str:
    text = path.read_text(encoding="utf-8")
    if findings := secrets.find(text):
        raise ConfigError(f"{path}:{findings[0].line}: this {findings[0]}; it is not published")
    return text


def read_all(app: Sphinx) -> None:
    _hosts.clear()
    _hosts.update(read(files(app.config)))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("records_folder", "records", "", str)
    app.connect("builder-inited", read_all, priority=400)  # before examples are read
    return {"parallel_read_safe": True, "parallel_write_safe": True}
