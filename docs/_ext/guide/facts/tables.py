"""Tables that extensions write: of texts, inline nodes and links to examples."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from docutils import nodes
from docutils.nodes import Node
from sphinx.transforms.post_transforms import SphinxPostTransform

from ..runs.execution import docname_of

Entry: TypeAlias = str | Node


def table(head: Sequence[Entry], rows: Iterable[Iterable[Entry]], classes: list[str]) -> nodes.table:
    """With one line of headings, and columns as wide as what they hold."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=1) for _column in head), cols=len(head))
    group += nodes.thead("", _row(head))
    group += nodes.tbody("", *(_row(row) for row in rows))
    return nodes.table("", group, classes=classes)


def _row(entries: Iterable[Entry]) -> nodes.row:
    return nodes.row("", *(nodes.entry("", _block(entry)) for entry in entries))


def _block(entry: Entry) -> Node:
    """Text and inline nodes stand in a paragraph."""
    if isinstance(entry, str):
        return nodes.paragraph("", entry)
    return nodes.paragraph("", "", entry) if isinstance(entry, nodes.Inline) else entry


def example_link(page: SphinxPostTransform, name: str) -> Node:
    """The file name of an example, leading to the page of its own."""
    uri = page.app.builder.get_relative_uri(page.env.docname, docname_of(name))
    return nodes.reference("", "", nodes.literal(text=name), refuri=uri, internal=True)
