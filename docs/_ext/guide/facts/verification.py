"""``.. verification::`` lists every run of this build, and beside it runs handed in from other devices.

Each host of :mod:`handed_in` is one more column.  All of it is published as ``verification.json`` too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from engine.values.record import Outcome, Record
from engine.values.run import Run

from ..runs.badge import bytes_text, cards_text, device_text, kind_text, peak_text
from ..runs.execution import rehearsals, rehearsed_of, runs_of_build
from ..runs.folding import fold
from ..runs.handed_in import runs_elsewhere, same_cells
from . import version_sets
from .tables import Entry, example_link, table

_ = get_translation("guide")


class verification(nodes.General, nodes.Element):
    """Stands for the tables until the page is written, when all runs are known."""


class Verification(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        self.env.metadata[self.env.docname]["shows_verification"] = True
        return [verification()]


class ShowVerification(SphinxPostTransform):
    """Two tables: the runs of this build, and, when runs were handed in, devices beside each other."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(verification)):
            here = runs_of_build()
            tables = [self._runs([run.record for run in here.values()])]
            if rehearsals():
                tables += [nodes.rubric("", _("8B 的显存：空跑")), self._rehearsals(here)]
            if runs_elsewhere():
                tables += [nodes.rubric("", _("不同设备对照")), self._matrix({_("本次构建"): here, **runs_elsewhere()})]
            node.replace_self(tables)

    def _runs(self, records: Sequence[Record]) -> nodes.table:
        """With the seconds of silicon only: how long anything else takes tells a reader nothing."""
        timed = any(record.device.kind == "npu" for record in records)
        facts = [*([_("秒")] if timed else []), _("内存峰值"), _("设备内存峰值"), _("替代品"), _("运行时间（UTC）")]
        head = [_("例子"), _("设备"), _("结果"), _("单元格"), *facts]
        rows = [
            [
                example_link(self, record.example),
                device_text(record),
                outcome_text(record),
                _cells_text(record),
                *([f"{record.seconds:.0f}"] if timed else []),
                _bytes_text(record.peak_bytes),
                _bytes_text(record.device.peak_bytes),
                _standins(record),
                record.started.replace("T", " ")[:16],
            ]
            for record in records
        ]
        return table(head, rows, classes=["verification", "filtered", "no-search"])

    def _rehearsals(self, here: Mapping[str, Run]) -> nodes.table:
        """Small model measured, and the 8B on every number of cards."""
        rehearsed = {name: rehearsed_of(name) for name in sorted(rehearsals())}
        counts = sorted({cards for found in rehearsed.values() for cards in found})
        head = [_("例子"), _("小模型，实测"), *(_("8B，%s") % cards_text(count) for count in counts)]
        rows: list[list[Entry]] = [
            [
                example_link(self, name),
                _bytes_text(here[name].record.device.peak_bytes) if name in here else "–",
                *(peak_text(found[count].found) if count in found else "–" for count in counts),
            ]
            for name, found in rehearsed.items()
        ]
        return table(head, rows, classes=["verification", "rehearsals", "no-search"])

    def _matrix(self, columns: Mapping[str, Mapping[str, Run]]) -> nodes.table:
        """Versions first, a line each; then what came of every example."""
        environments = [_environment(runs.values()) for runs in columns.values()]
        names = dict.fromkeys(name for environment in environments for name in environment)
        rows: list[list[Entry]] = [[name, *(each.get(name, "–") for each in environments)] for name in names]
        here = next(iter(columns.values()))
        for name, run in here.items():
            rows.append([example_link(self, name), *(_compared(runs.get(name), run) for runs in columns.values())])
        return table([_("例子"), *columns], rows, classes=["verification", "no-search"])


def outcome_text(record: Record) -> str:
    """Whether the run succeeded, and with all of its cells."""
    if failure := record.failure:
        return f"✗ {failure.name}: {failure.outcome}"
    return _("✓ 部分运行") if any(cell.outcome is Outcome.SKIPPED for cell in record.cells) else "✓"


def _cells_text(record: Record) -> str:
    """How many of them ran."""
    return f"{sum(cell.outcome is Outcome.RAN for cell in record.cells)}/{len(record.cells)}"


def _compared(run: Run | None, here: Run) -> str:
    if run is None:
        return _("没有运行")
    text = f"{outcome_text(run.record)} {_cells_text(run.record)}"
    if run.record.device.kind == "npu":
        text += f", {run.record.seconds:.0f} s"
    whole = same_cells(here.notebook.cells, run.notebook.cells) == len(here.record.cells)
    return text if whole else text + _("（例子的另一个版本）")


def _standins(record: Record) -> Entry:
    names = ", ".join(standin["name"] for standin in record.standins)
    return fold("", nodes.paragraph("", names), summary=str(len(record.standins))) if names else "–"


def _environment(runs: Iterable[Run]) -> dict[str, str]:
    """Devices and versions of a column by name, each said once."""
    facts: dict[str, dict[str, None]] = {}  # keys alone: a set in order
    for run in runs:
        device = run.record.device
        virtual = _("（替代品）") if device.kind == "virtual-npu" else ""
        named = {_("设备"): f"{kind_text(device.kind)} {device.name}".strip(), **run.record.versions}
        for name, text in (named | ({"CANN": device.cann + virtual} if device.cann else {})).items():
            facts.setdefault(name, {})[text] = None
    return {name: "; ".join(texts) for name, texts in facts.items()}


def _bytes_text(count: int) -> str:
    return bytes_text(count) if count else "–"


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """The page shows runs of all examples: it is written anew by every build that executed one, or may have."""
    return showing(env)


def showing(env: BuildEnvironment) -> list[str]:
    return [page for page, metadata in env.metadata.items() if metadata.get("shows_verification")]


def add_filter(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    if page in showing(app.env):
        app.add_js_file("table_filter.js", **{"data-words": _("筛选"), "data-all": _("全部")})  # type: ignore[arg-type]


def write_json(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html" or not showing(app.env):
        return
    runs = {name: run.record.to_json() for name, run in sorted(runs_of_build().items())}
    others = {
        host: {name: run.record.to_json() for name, run in theirs.items()} for host, theirs in runs_elsewhere().items()
    }
    rehearsed = {name: {count: asdict(each) for count, each in rehearsed_of(name).items()} for name in rehearsals()}
    content = {"build": runs, "rehearsals": rehearsed, "handed_in": others, "sets": version_sets.as_json()}
    text = json.dumps(content, ensure_ascii=False, indent=1)
    (Path(app.outdir) / "verification.json").write_text(text + "\n", encoding="utf-8")


def connect(app: Sphinx) -> None:
    app.add_node(verification)
    app.add_directive("verification", Verification)
    app.add_post_transform(ShowVerification)
    app.connect("env-get-outdated", outdated)
    app.connect("html-page-context", add_filter)
    app.connect("build-finished", write_json)
