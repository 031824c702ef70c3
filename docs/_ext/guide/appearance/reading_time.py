"""How long a page takes to read: its prose only; code, outputs and tables are looked at."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

CHARACTERS_A_MINUTE = 350  # of Chinese technical prose
WORDS_A_MINUTE = 200
HAN = re.compile(r"[\u3400-\u9fff]")
WORD = re.compile(r"[^\W\u3400-\u9fff]+")
NO_PROSE = (nodes.literal_block, nodes.raw)


def minutes(doctree: nodes.document) -> int:
    """Minutes of reading, at least one."""
    blocks = doctree.findall(lambda node: isinstance(node, nodes.TextElement) and not isinstance(node, NO_PROSE))
    text = "\n".join(node.astext() for node in blocks if not isinstance(node.parent, nodes.TextElement | nodes.entry))
    needed = len(HAN.findall(text)) / CHARACTERS_A_MINUTE + len(WORD.findall(text)) / WORDS_A_MINUTE
    return max(1, round(needed))


def add_minutes(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if doctree and pagename != app.config.root_doc and not pagename.startswith("examples/"):
        context["minutes"] = minutes(doctree)


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", add_minutes)
