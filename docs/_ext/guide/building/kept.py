"""One value for each page, computed when the page is written and kept for the builds that leave it as it is.

What the whole site needs of every page (its words for the search, its text for ``llms-full.txt``) would otherwise make
each build resolve all pages again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx


@dataclass(frozen=True)
class Kept:
    """Values of one kind, as JSON files beside the doctrees."""

    kind: str
    compute: Callable[[Sphinx, nodes.document], Any]
    """From the resolved doctree of a page; what it returns is JSON."""

    def connect(self, app: Sphinx) -> None:
        app.connect("html-page-context", self._page_written)

    def of(self, app: Sphinx, page: str) -> Any:
        """The page's value; computed now if it was never kept."""
        path = self._path(app, page)
        if not path.exists():
            self._keep(app, page, app.env.get_and_resolve_doctree(page, app.builder))
        return json.loads(path.read_text(encoding="utf-8"))

    def _page_written(
        self, app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
    ) -> None:
        if doctree and app.builder.name == "html":
            self._keep(app, pagename, doctree)

    def _keep(self, app: Sphinx, page: str, doctree: nodes.document) -> None:
        path = self._path(app, page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.compute(app, doctree), ensure_ascii=False), encoding="utf-8")

    def _path(self, app: Sphinx, page: str) -> Path:
        return Path(app.doctreedir) / self.kind / f"{page}.json"
