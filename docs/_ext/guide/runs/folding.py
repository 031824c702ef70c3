"""Folds what a reader seldom needs: logs without an error (progress, warnings), and the tail of long outputs.

Folded text is searched like any other.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.nodes import Element
from sphinx.application import Sphinx
from sphinx.builders import Builder
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

_ = get_translation("guide")

FAULT = re.compile(r"Error|Exception|Traceback")  # what a log is read for: it stays open
OUTPUT_LINES = 40  # an output of more lines shows the first of them
HEAD_LINES = 20


class fold(nodes.General, nodes.Element):
    """Content that opens below its ``summary``."""


def visit_fold(self: HTML5Translator, node: Element) -> None:
    outer, inner = ("div", "p") if is_book(self.builder) else ("details", "summary")
    self.body.append(self.starttag(node, outer))
    self.body.append(f"<{inner}>{self.encode(node['summary'])}</{inner}>\n")


def depart_fold(self: HTML5Translator, node: Element) -> None:
    self.body.append("</div>\n" if is_book(self.builder) else "</details>\n")


def is_book(builder: Builder) -> bool:
    """Whether nothing can be opened there."""
    return bool(builder.tags.has("book"))


def pass_fold(self: object, node: Element) -> None:
    """Formats that can not fold show the content."""


class FoldOutputs(SphinxPostTransform):
    """Folds logs, and what is beyond the first lines of a long output."""

    default_priority = 50  # after the cells are on the page and their outputs selected

    def run(self, **kwargs: Any) -> None:
        for block in list(self.document.findall(nodes.literal_block)):
            if "output" not in block["classes"]:
                continue
            lines = block.astext().rstrip("\n").split("\n")
            if "stderr" in block["classes"]:
                if not FAULT.search(block.astext()) or len(lines) > OUTPUT_LINES:
                    block.replace_self(_folded(_("运行日志，%d 行") % len(lines), block))
            elif len(lines) > OUTPUT_LINES and not is_book(self.app.builder):
                tail = _part(block, lines[HEAD_LINES:])
                block.replace_self(
                    [_part(block, lines[:HEAD_LINES]), _folded(_("其余 %d 行") % (len(lines) - HEAD_LINES), tail)]
                )


def _part(block: nodes.literal_block, lines: list[str]) -> nodes.literal_block:
    text = "\n".join(lines)
    return nodes.literal_block(text, text, **block.attributes)


def _folded(summary: str, block: nodes.literal_block) -> fold:
    return fold("", block.deepcopy(), summary=summary, classes=["folded-output"])


def connect(app: Sphinx) -> None:
    as_is = (pass_fold, pass_fold)
    app.add_node(fold, html=(visit_fold, depart_fold), text=as_is, latex=as_is)
    app.add_post_transform(FoldOutputs)
