"""Puts the page that is about the query first: weighs how often, and how prominently, a page uses a word.

Sphinx's index knows only whether a page has a word.  This writes how much it weighs in each page, for
``search_ranking.js``, which ranks by BM25 and answers questions of which a page has most words but not all.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search import SearchLanguage

from ..building.kept import Kept

TITLE_WEIGHT = 8  # a word of the page's title counts as if it stood there so often
HEADING_WEIGHT = 3
ERROR_CODE = re.compile(r"\d{5,}")  # Sphinx leaves numbers out, but 107020 is what people search for


def words(node: nodes.Node, heading: int = 0) -> Iterator[tuple[str, int]]:
    """Every text below the node with its weight; what is marked ``no-search`` is left out.

    Keywords (``.. meta::``, ``:keywords:``) are for other names of what the page is about: 魔搭 for ModelScope.
    """
    if isinstance(node, nodes.Text):
        yield node.astext(), (1, TITLE_WEIGHT, HEADING_WEIGHT)[min(heading, 2)]
    elif isinstance(node, nodes.meta) and node.get("name") == "keywords":
        yield node["content"], TITLE_WEIGHT
    elif isinstance(node, nodes.Element) and "no-search" not in node["classes"]:
        depth = _depth(node) if isinstance(node, nodes.title) and isinstance(node.parent, nodes.section) else heading
        for child in node.children:
            yield from words(child, depth)


def _depth(node: nodes.Node) -> int:
    """Number of sections that the node is in."""
    return 0 if node.parent is None else isinstance(node.parent, nodes.section) + _depth(node.parent)


def weights(app: Sphinx, doctree: nodes.document) -> Counter[str]:
    """Weight of every term of a page."""
    language: SearchLanguage = app.builder.indexer.lang  # type: ignore[attr-defined]
    found: Counter[str] = Counter()
    for text, weight in words(doctree):
        for word in language.split(text):
            term = language.stem(word).lower()
            if language.word_filter(term) or ERROR_CODE.fullmatch(term):
                found[term] += weight
    return found


WEIGHTS = Kept("search_ranking", weights)


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    pages = sorted(page for page in app.env.found_docs if "nosearch" not in app.env.metadata[page])
    terms: dict[str, dict[int, int]] = {}
    lengths = []
    for index, page in enumerate(pages):
        found = WEIGHTS.of(app, page)
        lengths.append(sum(found.values()))
        for term, weight in found.items():
            terms.setdefault(term, {})[index] = weight
    data = {"pages": pages, "lengths": lengths, "terms": dict(sorted(terms.items()))}
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / "_static/search_weights.js").write_text(f"Search.weights = {text};\n", encoding="utf-8")


def connect(app: Sphinx) -> None:
    WEIGHTS.connect(app)
    app.connect("build-finished", write)
