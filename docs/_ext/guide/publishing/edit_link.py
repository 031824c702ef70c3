"""Leads from a page to the file that a reader would edit, where the repository is known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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


def add_link(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    root = Path(app.confdir)  # of the repository, if the page belongs to it
    if doctree and (repository := repository_url()) and (source := source_of(app, pagename)).is_relative_to(root):
        context["edit_url"] = f"{repository}/edit/main/{source.relative_to(root).as_posix()}"


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", add_link)
