"""``.. field-reports::`` lists what people ran into, in their words, and where this guide answers it.

The reports come from ``data/field_reports.toml``; an answer is a label of a page, so that one that is gone is a warning
of the build.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from docutils.nodes import Node
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from .tables import table

_ = get_translation("guide")

DATA = "data/field_reports.toml"
THREAD = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)#(?P<number>\d+)")


@dataclass(frozen=True)
class Report:
    """One symptom, the threads in which people told of it, and where it is answered."""

    text: str
    """Words of the message, or of the people where there was none, as somebody would search for them."""
    threads: tuple[str, ...]
    """``owner/repository#number``, issues and pull requests alike."""
    answer: str = ""
    """Label of the section that answers it; empty for what this guide is not about."""
    page: str = ""
    """Page of that section: what a search for ``text`` shall find."""


def read(path: Path) -> list[Report]:
    """All reports, in the order of the file."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["report"]
    return [Report(**{**row, "threads": tuple(row["threads"])}) for row in rows]


class FieldReports(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        path = Path(self.env.srcdir) / DATA
        self.env.note_dependency(str(path))
        rows = [(nodes.literal(text=each.text), self._threads(each), self._answer(each)) for each in read(path)]
        return [table((_("现象"), _("谁遇到过"), _("答案在")), rows, ["field-reports"])]

    def _threads(self, report: Report) -> Node:
        links = nodes.inline()
        for thread in report.threads:
            repository, number = (THREAD.fullmatch(thread) or self._refuse(thread)).groups()
            address = f"https://github.com/{repository}/issues/{number}"
            links += nodes.reference("", f"{repository.partition('/')[2]}#{number}", refuri=address)
            links += nodes.Text(" ")
        return links

    def _refuse(self, thread: str) -> re.Match[str]:
        raise self.error(f"{DATA}: a thread is 'owner/repository#number', not {thread!r}")

    def _answer(self, report: Report) -> Node:
        if not report.answer:
            return nodes.inline("", _("不在本站范围内"))
        link = pending_xref(
            "", nodes.inline("", report.answer), refdomain="std", reftype="ref", reftarget=report.answer,
            refexplicit=False, refwarn=True, refdoc=self.env.docname,
        )  # fmt: skip
        self.set_source_info(link)
        return nodes.inline("", "", link)


def connect(app: Sphinx) -> None:
    app.add_directive("field-reports", FieldReports)
