"""``.. compatibility:: requirements`` and ``.. compatibility:: releases``: which versions belong together, as tables.

The facts come from ``data/compatibility.toml``, each with its source; what this build ran comes from run records.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.nodes import Node
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from ..runs.badge import kind_text
from ..runs.execution import run_of
from .tables import Entry, table
from .version_sets import Column, columns

_ = get_translation("guide")

DATA = "data/compatibility.toml"
UNKNOWN = "—"
CLASSES = ["compatibility"]


@dataclass(frozen=True)
class Requirement:
    """What one component has to be for the others."""

    name: str
    zh: str
    en: str
    source: str
    """A key of ``sources``."""


@dataclass(frozen=True)
class Release:
    """A torch_npu package, and the torch and CANN it was released for."""

    product: str
    """TorchNPU's own number, under which several packages come out together."""
    torch_npu: str
    torch: str
    cann: str
    source: str
    recommended: bool = False
    """By those who released it, when the source was read."""


@dataclass(frozen=True)
class Source:
    """A page that says so."""

    title: str
    address: str

    def link(self) -> Node:
        return nodes.reference("", self.title, refuri=self.address)


@dataclass(frozen=True)
class Facts:
    """The whole data file."""

    sources: dict[str, Source]
    requirements: tuple[Requirement, ...]
    releases: tuple[Release, ...]

    @classmethod
    def read(cls, path: Path) -> Facts:
        """Raises KeyError naming a source that is not in the file, so that no fact is without one."""
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
        facts = cls(
            {key: Source(**source) for key, source in tables["sources"].items()},
            tuple(Requirement(**row) for row in tables["requirement"]),
            tuple(Release(**row) for row in tables["release"]),
        )
        for source in [fact.source for fact in facts.requirements] + [fact.source for fact in facts.releases]:
            facts.sources[source]
        return facts


class Compatibility(SphinxDirective):
    """A table; with ``:ran: environment.py`` beside what that example ran with in this build."""

    required_arguments = 1
    option_spec = {"ran": directives.unchanged}

    def run(self) -> list[Node]:
        path = Path(self.env.srcdir) / DATA
        self.env.note_dependency(str(path))
        facts, ran = Facts.read(path), self._ran()
        if self.arguments[0] == "requirements":
            return [self._requirements(facts, ran)]
        if self.arguments[0] == "releases":
            return [self._releases(facts, ran)]
        raise self.error("'.. compatibility::' shows 'requirements' or 'releases'")

    def _ran(self) -> dict[str, str]:
        """Versions of this build by name; empty when the example did not run, as for translations."""
        run = run_of(self.options.get("ran", ""))
        return dict(run.record.versions) if run else {}

    def _requirements(self, facts: Facts, ran: dict[str, str]) -> Node:
        language = "zh" if self.config.language.startswith("zh") else "en"
        rows = [
            (fact.name, getattr(fact, language), ran.get(fact.name, UNKNOWN), facts.sources[fact.source].link())
            for fact in facts.requirements
        ]
        return table((_("组件"), _("要求"), _("本次构建所用"), _("出处")), rows, CLASSES)

    def _releases(self, facts: Facts, ran: dict[str, str]) -> Node:
        rows: list[tuple[Entry, ...]] = []
        if "torch_npu" in ran and ran["torch_npu"] not in {fact.torch_npu for fact in facts.releases}:
            rows.append((ran["torch_npu"], ran["torch"].partition("+")[0], _("该表未列出"), _("本次构建"), UNKNOWN))
        sets = columns()
        for fact in facts.releases:
            remark = _("（推荐）") if fact.recommended else ""
            source = facts.sources[fact.source]
            link = nodes.reference("", f"TorchNPU {fact.product}", refuri=source.address)
            rows.append((fact.torch_npu + remark, fact.torch, fact.cann, _ran_with(fact, sets), link))
        return table(("torch_npu", "torch", "CANN", _("本站的例子用它运行过吗"), _("出处")), rows, CLASSES)


def _ran_with(release: Release, sets: list[Column]) -> Entry:
    """Which sets have exactly this torch_npu and ran, on what device, and how many examples did."""
    ran = [each for each in sets if each.chosen.pins["torch_npu"] == release.torch_npu and each.outcomes]
    results: list[Node] = []
    for each in ran:
        device = kind_text(each.record.device) if each.record else ""
        results += [nodes.Text("; " if results else ""), nodes.Text(f"{each.name} ({device}) "), each.result()]
    return nodes.inline("", "", *results) if results else UNKNOWN


def connect(app: Sphinx) -> None:
    app.add_directive("compatibility", Compatibility)
