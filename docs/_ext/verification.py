"""``.. verification::`` lists every run of this build, and beside it runs handed in from other devices.

``records/HOST/*.json`` are records that ``python -m engine run --real --record records/HOST ...`` wrote elsewhere, on
an Ascend host for one; each such folder is one more column.  All of it is published as ``verification.json`` too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from badge import device_text
from docutils import nodes
from docutils.nodes import Node
from execution import docname_of, runs_of_build
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from engine.record import Outcome, Record

_ = get_translation("guide")


class verification(nodes.General, nodes.Element):
    """Stands for the tables until the page is written, when all runs are known."""


class Verification(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        self.env.metadata[self.env.docname]["shows_verification"] = True
        return [verification()]


class ShowVerification(SphinxPostTransform):
    """Two tables: the runs of this build, and, when records were handed in, devices beside each other."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(verification)):
            records = [run.record for run in runs_of_build().values()]
            tables = [self._runs(records)]
            if handed_in := read_handed_in(Path(self.app.config.records_folder)):
                tables.append(self._matrix(records, handed_in))
            node.replace_self(tables)

    def _runs(self, records: Iterable[Record]) -> nodes.table:
        head = [_("例子"), _("设备"), _("格"), _("秒"), _("内存峰值"), _("设备内存峰值"), _("运行时间（UTC）")]
        rows = [
            [
                self._example(record),
                device_text(record),
                _cells_text(record),
                f"{record.seconds:.0f}",
                _bytes_text(record.peak_bytes),
                _bytes_text(record.device.peak_bytes),
                record.started.replace("T", " ")[:16],
            ]
            for record in records
        ]
        return table(head, rows, classes=["verification"])

    def _matrix(self, records: Iterable[Record], handed_in: Mapping[str, Mapping[str, Record]]) -> nodes.table:
        here = {record.example: record for record in records}
        columns = {_("本次构建"): here, **handed_in}
        head: list[str | Node] = [_("例子"), *columns]
        rows: list[list[str | Node]] = [[_("环境"), *(_environment_text(column) for column in columns.values())]]
        for name, record in here.items():
            cells = (column.get(name) for column in columns.values())
            rows.append([self._example(record), *(_outcome_text(found) for found in cells)])
        return table(head, rows, classes=["verification"])

    def _example(self, record: Record) -> Node:
        uri = self.app.builder.get_relative_uri(self.env.docname, docname_of(record.example))
        return nodes.reference("", "", nodes.literal(text=record.example), refuri=uri, internal=True)


def table(head: list[str | Node], rows: list[list[str | Node]], classes: list[str]) -> nodes.table:
    """A docutils table of text and inline nodes."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _column in head), cols=len(head))
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group, classes=classes)


def _row(cells: list[str | Node]) -> nodes.row:
    entries = (nodes.Text(cell) if isinstance(cell, str) else cell for cell in cells)
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", entry)) for entry in entries))


def _cells_text(record: Record) -> str:
    ran = sum(cell.outcome is Outcome.RAN for cell in record.cells)
    return f"{ran}/{len(record.cells)}"


def _outcome_text(record: Record | None) -> str:
    if record is None:
        return _("没有运行")
    failure = record.failure
    return f"✗ {failure.name}: {failure.outcome}" if failure else f"✓ {_cells_text(record)}, {record.seconds:.0f} s"


def _environment_text(records: Mapping[str, Record]) -> str:
    """Devices and versions of a column, each said once."""
    devices = {f"{record.device.kind} {record.device.name}".strip() for record in records.values()}
    versions = {f"{name} {number}" for record in records.values() for name, number in record.versions.items()}
    return "; ".join([*sorted(devices), *sorted(versions)])


def _bytes_text(count: int) -> str:
    return f"{count / (1 << 20):.0f} MiB" if count else "–"


def read_handed_in(folder: Path) -> dict[str, dict[str, Record]]:
    """Records by host and example; a file that is no record is an error that names it."""
    handed_in: dict[str, dict[str, Record]] = {}
    for path in sorted(folder.glob("*/*.json")):
        try:
            record = Record.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no run record ({error}); python -m engine run --record writes them") from error
        handed_in.setdefault(path.parent.name, {})[record.example] = record
    return handed_in


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """The page shows runs of all examples: it is written anew by every build that executed one, or may have."""
    return [page for page, metadata in env.metadata.items() if metadata.get("shows_verification")]


def write_json(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    runs = {name: run.record.to_json() for name, run in sorted(runs_of_build().items())}
    others = {
        host: {name: record.to_json() for name, record in records.items()}
        for host, records in read_handed_in(Path(app.config.records_folder)).items()
    }
    text = json.dumps({"build": runs, "handed_in": others}, ensure_ascii=False, indent=1)
    (Path(app.outdir) / "verification.json").write_text(text + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("records_folder", "records", "", str)
    app.add_node(verification)
    app.add_directive("verification", Verification)
    app.add_post_transform(ShowVerification)
    app.connect("env-get-outdated", outdated)
    app.connect("build-finished", write_json)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
