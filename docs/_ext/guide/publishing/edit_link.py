"""Leads to the file of a page that a reader would edit, and to where faults are told, if the repository is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from docutils import nodes
from sphinx.application import Sphinx

from ..addresses import repository_url
from ..translation.languages import LANGUAGES


def source_of(app: Sphinx, page: str) -> Path:
    """The page's own text: in another language that is its catalogue; an example is the same in all."""
    source = Path(app.env.doc2path(page)).resolve()
    folder = LANGUAGES[app.config.language].folder
    catalogue = Path(app.srcdir) / "locale" / folder / "LC_MESSAGES" / f"{page}.po"
    return catalogue if folder and catalogue.exists() else source


def add_links(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    root = Path(app.confdir)  # of the repository, if the page belongs to it
    if not doctree or not (repository := repository_url()):
        return
    context["repository"] = repository
    context["report_url"] = f"{repository}/issues/new?{urlencode({'title': f'{pagename}: '})}"
    if (source := source_of(app, pagename)).is_relative_to(root):
        context["edit_url"] = f"{repository}/edit/main/{source.relative_to(root).as_posix()}"


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", add_links)
