"""Cuts a page into what a search can find: its sections, and in them each term that is explained (常见问题).

A unit has an address of its own, so that a reader arrives at the answer and not at the top of a long page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from ..building.kept import Kept

HAN = re.compile(r"[\u3400-\u9fff]+")
LATIN = re.compile(r"\d+(?:\.\d+)+|[a-z\d_]+")
LONG_NUMBER = re.compile(r"[\d.]{8,}|\d{1,2}|0\d*")  # measured, not meant

TITLE_WEIGHT = 8  # a word of the page's title counts as if it stood there so often
HEADING_WEIGHT = 6
TERM_WEIGHT = 4


def terms(text: str) -> Iterator[str]:
    """Words of Latin text as they are, and every pair of neighbouring Chinese characters, which needs no dictionary.

    >>> list(terms("用 Trainer 微调模型"))
    ['用', '微调', '调模', '模型', 'trainer']
    """
    text = text.lower()
    for run in HAN.findall(text):
        yield from (run[at : at + 2] for at in range(max(len(run) - 1, 1)))
    yield from (word for word in LATIN.findall(text) if not LONG_NUMBER.fullmatch(word))


@dataclass
class Unit:
    """Part of a page with an address."""

    anchor: str
    """Empty for the page's beginning."""
    title: str
    explained: bool = False
    """A term with its explanation, not a section."""
    labels: list[str] = field(default_factory=list)
    weights: Counter[str] = field(default_factory=Counter)

    def add(self, text: str, weight: int = 1) -> None:
        for term in terms(text):
            self.weights[term] += weight


def units(document: nodes.document) -> list[Unit]:
    """In the order of the page.  Keywords (``.. meta::``) are other names of what the page is about: 魔搭."""
    found: list[Unit] = []
    for section in document.findall(nodes.section):
        _collect(section, found)
    for meta in document.findall(nodes.meta):
        if found and meta.get("name") == "keywords":
            found[0].add(meta["content"], TITLE_WEIGHT)
    return found


def _collect(section: nodes.section, found: list[Unit]) -> None:
    first = not found
    title = section.next_node(nodes.title)
    name = title.astext() if title else ""
    unit = Unit("" if first else section["ids"][0], name, labels=list(section["ids"]))
    unit.add(name, TITLE_WEIGHT if first else HEADING_WEIGHT)
    found.append(unit)
    for child in section.children:
        if not isinstance(child, nodes.section | nodes.title):
            _read(child, unit, found)


def _read(node: nodes.Node, unit: Unit, found: list[Unit]) -> None:
    """Texts below a node, into the unit or that of the term they explain; what is marked ``no-search`` is left out."""
    if isinstance(node, nodes.Text):
        unit.add(node.astext())
    elif isinstance(node, nodes.definition_list_item) and (term := node.next_node(nodes.term)) and term["ids"]:
        own = Unit(term["ids"][0], term.astext(), explained=True)
        own.add(term.astext(), TERM_WEIGHT)
        found.append(own)
        for child in node.children[1:]:
            _read(child, own, found)
    elif isinstance(node, nodes.Element) and "no-search" not in node["classes"]:
        for child in node.children:
            _read(child, unit, found)


def name_terms(app: Sphinx, document: nodes.document) -> None:
    """Give each explained term an address: that of its section, and a number."""
    for section in document.findall(nodes.section):
        lists = (child for child in section.children if isinstance(child, nodes.definition_list))
        for number, item in enumerate((item for each in lists for item in each.children), start=1):
            term = item.next_node(nodes.term)
            name = f"{section['ids'][0]}-{number}"
            if term is not None and not term["ids"] and name not in document.ids:
                term["ids"].append(name)


def kept(app: Sphinx, document: nodes.document) -> list[dict[str, Any]]:
    return [vars(unit) for unit in units(document)]


UNITS = Kept("search", kept)


def of_page(app: Sphinx, page: str) -> list[Unit]:
    return [Unit(**{**unit, "weights": Counter(unit["weights"])}) for unit in UNITS.of(app, page)]


def connect(app: Sphinx) -> None:
    app.connect("doctree-read", name_terms)
    UNITS.connect(app)
