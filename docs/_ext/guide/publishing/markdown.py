"""Writes parts of a page as Markdown, as Jupyter shows it.

Own code for the few kinds of nodes that pages have: sphinx-markdown-builder writes whole files by a builder of its own,
and a notebook needs pieces, of the same resolved page that the site shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import singledispatchmethod

from docutils import nodes
from docutils.nodes import Element, Node

from ..runs.at_8b import gauge
from ..runs.device_tabs import TabInput, TabLabel
from ..runs.folding import fold
from .error_box import error_box

Resolve = Callable[[str], str]
"""From a link of the page to an absolute address; empty where it is not known."""

MARKUP = re.compile(r"[\\`*\[\]<$|]|(?<!\w)_|_(?!\w)")
BLOCK_MARKUP = re.compile(r"^(?=[#>+-]\s|>)|^(\d+)(?=[.)]\s)")
WHOLE = {"at-8b", "not-run-reason"}  # classes of what is one block
NOWHERE = (TabInput, error_box, gauge, nodes.comment, nodes.meta, nodes.image, nodes.target, nodes.raw)
TRANSPARENT = (nodes.container, nodes.compound, nodes.section, nodes.document, nodes.caption)


def escaped(text: str) -> str:
    """Text that has no markup, and no formulas.

    >>> escaped("torch_npu costs $1 * 2")
    'torch_npu costs \\\\$1 \\\\* 2'
    """
    return MARKUP.sub(lambda found: f"\\{found[0]}", text)


def fenced(text: str, language: str = "") -> str:
    """A block of code or output; its fence is longer than any inside."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def _indented(text: str, by: str) -> str:
    return "\n".join(by + line if line else line for line in text.split("\n"))


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


class Markdown:
    """Of nodes of one page."""

    def __init__(self, resolve: Resolve) -> None:
        self.resolve = resolve

    # --- inside a line --------------------------------------------------------------------------------------------

    def line(self, children: Iterable[Node]) -> str:
        return "".join(map(self.inline, children))

    @singledispatchmethod
    def inline(self, node: Node) -> str:
        return "" if isinstance(node, NOWHERE) else self.line(node.children)

    @inline.register
    def _(self, node: nodes.Text) -> str:
        return escaped(" ".join(re.split(r"[ \n]+", node.astext())))

    @inline.register
    def _(self, node: nodes.emphasis) -> str:
        return f"*{self.line(node.children)}*"

    @inline.register
    def _(self, node: nodes.strong) -> str:
        text = self.line(node.children)
        return f"**{text.strip()}**" + " " * text.endswith(" ")

    @inline.register
    def _(self, node: nodes.literal) -> str:
        text = node.astext().replace("|", "\\|") if _in_table(node) else node.astext()
        return f"`` {text} ``" if "`" in text else f"`{text}`"

    @inline.register
    def _(self, node: nodes.reference) -> str:
        text, address = self.line(node.children), self.resolve(node.get("refuri") or f"#{node.get('refid', '')}")
        return f"[{text}](<{address}>)" if address else text

    # --- blocks ---------------------------------------------------------------------------------------------------

    def blocks(self, children: Iterable[Node]) -> str:
        return "\n\n".join(filter(None, map(self.block, children)))

    @singledispatchmethod
    def block(self, node: Node) -> str:
        if isinstance(node, NOWHERE):
            return ""
        if isinstance(node, nodes.Admonition):
            return _quoted(self.blocks(node.children))
        if isinstance(node, nodes.container) and WHOLE & set(node["classes"]):
            return self._whole(node)
        if isinstance(node, TRANSPARENT):
            return self.blocks(node.children)
        return self.inline(node).strip()

    def _whole(self, node: nodes.container) -> str:
        if "at-8b" in node["classes"]:
            title, *rest = node.children
            return _quoted(f"**{self.line(title.children)}**\n\n{self.blocks(rest)}")
        return " ".join(self.inline(part).strip() for part in node.children)

    @block.register
    def _(self, node: nodes.paragraph) -> str:
        parts = [self.inline(part).strip() for part in node.children] if "verdict" in node["classes"] else []
        text = " ".join(filter(None, parts)) or self.inline(node).strip()
        return BLOCK_MARKUP.sub(lambda found: f"{found[1] or ''}\\", text)

    @block.register
    def _(self, node: nodes.literal_block) -> str:
        if "output" in node["classes"]:
            return fenced(node.astext(), "text")
        language = node.get("language", "")
        return fenced(node.astext(), "" if language == "none" else language.removeprefix("i").removesuffix("3"))

    @block.register
    def _(self, node: fold) -> str:
        return f"**{escaped(node['summary'])}**\n\n{self.blocks(node.children)}"

    @block.register(nodes.rubric)
    @block.register(TabLabel)
    @block.register(nodes.title)
    def _(self, node: Element) -> str:
        return f"**{self.line(node.children).strip()}**"

    @block.register
    def _(self, node: nodes.bullet_list) -> str:
        return "\n".join("- " + _indented(self.blocks(item.children), "  ").lstrip() for item in node.children)

    @block.register
    def _(self, node: nodes.enumerated_list) -> str:
        first = int(node.get("start", 1))
        items = enumerate(node.children, start=first)
        return "\n".join(
            f"{number}. " + _indented(self.blocks(item.children), "   ").lstrip() for number, item in items
        )

    @block.register
    def _(self, node: nodes.definition_list) -> str:
        """A list, for Markdown has none of this kind."""
        return "\n".join("- " + _indented(self.blocks(item.children), "  ").lstrip() for item in node.children)

    @block.register
    def _(self, node: nodes.definition_list_item) -> str:
        return self.blocks(node.children)

    @block.register
    def _(self, node: nodes.term) -> str:
        return f"**{self.line(node.children)}**" if not node.next_node(nodes.literal) else self.line(node.children)

    @block.register
    def _(self, node: nodes.definition) -> str:
        return self.blocks(node.children)

    @block.register
    def _(self, node: nodes.table) -> str:
        title = next((f"**{self.line(part.children)}**\n\n" for part in node.findall(nodes.title)), "")
        rows = [self._row(row) for row in node.findall(nodes.row)]
        if not next(node.findall(nodes.thead), None):
            rows.insert(0, [""] * len(rows[0]))
        rows.insert(1, ["---"] * len(rows[0]))
        return title + "\n".join(f"| {' | '.join(row)} |" for row in rows)

    def _row(self, row: nodes.row) -> list[str]:
        cells = (self.blocks(entry.children) for entry in row.findall(nodes.entry))
        return [re.sub(r"\s*\n+\s*", " ", cell) for cell in cells]


def _in_table(node: Node) -> bool:
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.entry):
            return True
    return False
