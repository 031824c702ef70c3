"""``.. version-sets::`` shows what came of every example with every set of versions in ``sets/``.

A set that ran has a record in ``sets/records``; the column of the site's own set is this build.  Nothing else is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from docutils import nodes
from docutils.nodes import Node
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from engine.place.surroundings import Surroundings
from sets import VersionSet, every_set
from sets.record import ELSEWHERE, ExampleOutcome, SetRecord, digest, read_all

from ..runs.badge import kind_text
from ..runs.execution import example_of, runs_of_build
from ..runs.folding import fold
from ..runs.your_host import marked_for
from .tables import Entry, example_link, table

_ = get_translation("guide")

OF_THE_SITE = "site"  # the set that the site is built with


@dataclass(frozen=True)
class Column:
    """A set, and its record where it ran."""

    chosen: VersionSet
    record: SetRecord | None

    @property
    def name(self) -> str:
        return self.chosen.name

    @cached_property
    def outcomes(self) -> Mapping[str, ExampleOutcome]:
        return self.record.examples if self.record else {}

    @property
    def failed(self) -> int:
        """How many examples did not succeed."""
        return sum(outcome.failure is not None for outcome in self.outcomes.values())

    @property
    def stale(self) -> bool:
        """Whether its file has other versions now than when it ran."""
        return self.record is not None and self.record.pins != self.chosen.pins

    @property
    def when(self) -> str:
        """It ran, and whether that was before its versions changed."""
        ran = self.record.recorded if self.record else "–"
        return ran + (_("（此后版本改过）") if self.stale else "")

    def result(self) -> Node:
        """How many examples ran, in red where one failed."""
        if not self.outcomes:
            return nodes.inline("", _("没有运行"))
        text = f"{len(self.outcomes) - self.failed}/{len(self.outcomes)}"
        return _marked(f"✗ {text}", "failed") if self.failed else _marked(f"✓ {text}", "ran")


def columns() -> list[Column]:
    """All sets; what the site's own came to is known once its examples have run."""
    records = read_all()
    runs = runs_of_build()
    known = [example for name in runs if (example := example_of(name))]
    chosen = every_set()
    if known:
        records[OF_THE_SITE] = SetRecord.of(chosen[OF_THE_SITE], known, runs, Surroundings.here())
    return [Column(each, records.get(name)) for name, each in chosen.items() if each.pinned or name in records]


def elsewhere() -> list[Column]:
    """What ran on other architectures and with other Pythons: a few examples each."""
    chosen = every_set()
    return [Column(chosen[record.set], record) for record in read_all(ELSEWHERE).values()]


class version_sets(nodes.General, nodes.Element):
    """Stands for the tables until the page is written, when all runs are known."""


class VersionSets(SphinxDirective):
    """``:short:`` shows the sets alone, with what tells a reader whether one is his.

    ``:elsewhere:`` shows what ran on other architectures and with other Pythons.
    """

    option_spec = {"short": directives.flag, "elsewhere": directives.flag}

    def run(self) -> list[Node]:
        self.env.metadata[self.env.docname]["shows_verification"] = True  # written anew by every build
        return [version_sets(form=next(iter(self.options), ""))]


class ShowVersionSets(SphinxPostTransform):
    """Two tables: the sets, and examples by sets."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(version_sets)):
            if node["form"] == "elsewhere":
                node.replace_self([self._elsewhere()])
                continue
            shown = columns()
            short = node["form"] == "short"
            node.replace_self([self._short(shown)] if short else [self._sets(shown), self._matrix(shown)])

    def _short(self, shown: list[Column]) -> nodes.table:
        rows: list[list[Entry]] = []
        for column in shown:
            chosen, record = column.chosen, column.record
            where = f"{kind_text(record.device)}, {record.machine}" if record else "–"
            pins = [chosen.pins[name] or "–" for name in ("torch_npu", "transformers")]
            rows.append([chosen.cann or _("该表未列出"), *pins, where, column.result()])
        head = ["CANN", "torch_npu", "transformers", _("在哪里运行"), _("例子")]
        return _marked_rows(table(head, rows, classes=["verification"]), shown)

    def _sets(self, shown: list[Column]) -> nodes.table:
        facts = ["CANN", "torch_npu", "transformers", "Python"]
        head = [_("版本组合"), *facts, _("在哪里运行"), _("例子"), _("运行时间（UTC）")]
        return _marked_rows(table(head, [self._set(column) for column in shown], classes=["verification"]), shown)

    def _set(self, column: Column) -> list[Entry]:
        chosen, record = column.chosen, column.record
        facts: list[Entry] = [
            nodes.literal(text=f"sets/{chosen.name}.txt"),
            chosen.cann or _("该表未列出"),
            chosen.pins["torch_npu"] or "–",
            chosen.pins["transformers"] or "–",
        ]
        if record is None:
            return [*facts, "–", "–", column.result(), "–"]
        where = f"{kind_text(record.device)}, {record.machine}"
        return [*facts, record.versions["Python"], where, column.result(), column.when]

    def _matrix(self, shown: list[Column]) -> nodes.table:
        ran = [column for column in shown if column.outcomes]
        names = sorted({name for column in ran for name in column.outcomes if example_of(name)})
        rows = [
            [example_link(self, name), *(_outcome(name, column.outcomes.get(name)) for column in ran)] for name in names
        ]
        return table([_("例子"), *(column.name for column in ran)], rows, classes=["verification", "version-sets"])

    def _elsewhere(self) -> Node:
        """A row for each: what its machine was, and how each example ended there."""
        head = [_("架构"), "Python", _("系统"), _("版本组合"), "torch_npu", _("设备"), _("例子"), _("运行时间（UTC）")]
        rows: list[list[Entry]] = []
        for column in elsewhere():
            if not (record := column.record):
                continue
            ended = nodes.container()
            for name, outcome in sorted(record.examples.items()):
                known = example_of(name) is not None
                ended += nodes.paragraph("", "", example_link(self, name) if known else nodes.literal(text=name))
                ended += _outcome(name, outcome)
            facts = [record.machine, record.versions["Python"], record.where, column.name, record.pins["torch_npu"]]
            rows.append([*facts, kind_text(record.device), ended, column.when])
        return table(head, rows, classes=["verification"])


def _marked_rows(sets: nodes.table, shown: Sequence[Column]) -> nodes.table:
    """A reader finds that of his CANN."""
    for row, column in zip(list(sets.findall(nodes.row))[1:], shown, strict=True):
        row["classes"].append(marked_for("cann", column.name))
    return sets


def _outcome(name: str, outcome: ExampleOutcome | None) -> Node:
    """Ran, failed at which cell and how, or skipped for which need; and whether the example is still the same."""
    if outcome is None:
        return nodes.paragraph("", _("没有运行"))
    lines: list[Node] = []
    if failure := outcome.failure:
        told = nodes.paragraph("", failure.error or failure.outcome)
        lines.append(fold("", told, summary=f"✗ {failure.name}", classes=["failed"]))
    else:
        lines.append(nodes.paragraph("", "", _marked(f"✓ {outcome.ran}/{len(outcome.cells)}", "ran")))
    if outcome.needs:
        lines.append(nodes.paragraph("", _("跳过的单元格需要：%s") % ", ".join(outcome.needs)))
    if _changed(name, outcome):
        lines.append(nodes.paragraph("", _("例子此后改过"), classes=["stale"]))
    return nodes.container("", *lines)


def _changed(name: str, outcome: ExampleOutcome) -> bool:
    """Whether the example is another than the one that ran."""
    example = example_of(name)
    return example is None or digest(example) != outcome.digest


def _marked(text: str, outcome: str) -> nodes.inline:
    return nodes.inline("", text, classes=[outcome])


def as_json() -> dict[str, Any]:
    """All columns, for ``verification.json``: outcomes by set and example, and whether an example has changed since."""
    here_and_elsewhere = [*columns(), *elsewhere()]
    return {column.record.name: _column_json(column, column.record) for column in here_and_elsewhere if column.record}


def _column_json(column: Column, record: SetRecord) -> dict[str, Any]:
    examples = {
        name: {**outcome.to_json(), "changed_since": _changed(name, outcome)}
        for name, outcome in record.examples.items()
    }
    return {**record.to_json(), "cann": column.chosen.cann, "changed_since": column.stale, "examples": examples}


def connect(app: Sphinx) -> None:
    app.add_node(version_sets)
    app.add_directive("version-sets", VersionSets)
    app.add_post_transform(ShowVersionSets)
