"""Writes ``_static/search_index.js``: of every term the units that have it, and its weight there; words of questions.

``data/search_words.toml`` says which words mean the same and which mean nothing.  Each message of
``data/field_reports.toml`` counts as a heading of the section that answers it.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

from ..facts import field_reports
from .units import HEADING_WEIGHT, Unit, of_page

WORDS = Path(__file__).parents[3] / "data/search_words.toml"
VARIABLE = "searchIndex"
ASIDE = "search-aside"  # a field at the top of a page that is for who works on the site: after the others


def without_sphinx(app: Sphinx) -> None:
    """Sphinx writes no index of its own."""
    if app.builder.name == "html":
        app.builder.search = False  # type: ignore[attr-defined]


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    left_out = {page for page in app.env.found_docs if "nosearch" in app.env.metadata[page]} | {app.config.root_doc}
    pages = sorted(app.env.found_docs - left_out)
    found = {page: of_page(app, page) for page in pages}
    _add_reports(app, found)
    text = json.dumps(_data(app, found), ensure_ascii=False, separators=(",", ":"))
    (Path(app.outdir) / "_static/search_index.js").write_text(f"var {VARIABLE} = {text};\n", encoding="utf-8")


def _add_reports(app: Sphinx, found: dict[str, list[Unit]]) -> None:
    path = Path(app.srcdir) / field_reports.DATA
    labels = app.env.domains.standard_domain.anonlabels
    for report in field_reports.read(path) if path.exists() else []:
        page, anchor = labels.get(report.answer, ("", ""))[:2]
        for unit in found.get(page, []):
            if anchor in unit.labels:
                unit.add(report.text, HEADING_WEIGHT)


def _data(app: Sphinx, found: dict[str, list[Unit]]) -> dict[str, Any]:
    rows: list[tuple[int, str, str, int, int]] = []
    terms: dict[str, list[int]] = {}
    for page, units in enumerate(found.values()):
        for unit in units:
            for term, weight in unit.weights.items():
                terms.setdefault(term, []).extend((len(rows), weight))
            rows.append((page, unit.anchor, unit.title, sum(unit.weights.values()), int(unit.explained)))
    words = tomllib.loads(WORDS.read_text(encoding="utf-8"))
    titles = [units[0].title if units else page for page, units in found.items()]
    aside = [at for at, page in enumerate(found) if ASIDE in app.env.metadata[page]]
    return {
        "pages": list(found),
        "titles": titles,
        "aside": aside,
        "units": rows,
        "terms": dict(sorted(terms.items())),
        **words,
    }


def connect(app: Sphinx) -> None:
    app.connect("builder-inited", without_sphinx)
    app.connect("build-finished", write)
