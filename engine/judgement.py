"""Looks at what a run printed before anyone else does: no secret, no number gone astray, no drift.

A run that does not pass is one that failed: it is not kept, and the build says why.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

from nbformat import NotebookNode

from engine.values import secrets
from engine.values.golden import Fact, Golden
from engine.values.record import Outcome
from engine.values.run import Run

NOT_A_NUMBER = re.compile(r"(?<![\w.])[+-]?(?:nan|inf)(?![\w.])", re.IGNORECASE)
NAN_WANTED = "nan-wanted"  # tag of a cell that shows an overflow on purpose: # %% name tags=["nan-wanted"]


def judged(run: Run, golden: Golden) -> Run:
    """The same run, or one whose cell failed by this judgement; of a cell with a secret nothing is left to show."""
    notebook = deepcopy(run.notebook)
    cells = {cell.metadata.get("title"): cell for cell in notebook.cells}
    # They are recorded where the device is virtual: a chip rounds otherwise, and real models have other weights.
    facts = [] if run.record.device.kind == "npu" else golden.facts(run.record.example)
    records = []
    for record in run.record.cells:
        cell = cells[record.name]
        if findings := secrets.find(f"{written(cell)}\n{record.error}\n{record.traceback}"):
            cell.outputs = []
            error = f"what it printed {findings[0]}; it is withheld"
            record = replace(record, outcome=Outcome.FAILED, error=error, traceback="")
        elif record.outcome is Outcome.RAN and (fault := _fault(cell, record.name, facts)):
            record = replace(record, outcome=Outcome.FAILED, error=fault)
        records.append(record)
    return Run(notebook, replace(run.record, cells=tuple(records)))


def written(cell: NotebookNode) -> str:
    """All text of a cell's outputs: streams, and the textual forms of what was displayed."""
    parts = []
    for output in cell.get("outputs", ()):
        parts.append(output.get("text", ""))
        parts += [data for kind, data in output.get("data", {}).items() if kind.startswith(("text/", "image/svg"))]
    return "\n".join(str(part) for part in parts if part)


def _fault(cell: NotebookNode, name: str, facts: Sequence[Fact]) -> str:
    text = written(cell)
    if NAN_WANTED not in cell.metadata.get("tags", ()) and (match := NOT_A_NUMBER.search(text)):
        return f"it printed {match.group()} (tag the cell {NAN_WANTED!r} when that is what it shows)"
    drifts = (fact.drift(text) for fact in facts if fact.cell == name)
    return next(filter(None, drifts), "")
