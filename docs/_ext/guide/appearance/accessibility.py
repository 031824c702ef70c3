"""Repairs what Sphinx writes and a screen reader can not use: headings of the table of contents without a level."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sphinx.application import Sphinx

CAPTION = 'class="caption" role="heading"'


def with_level(html: str) -> str:
    """Captions of the contents stand below the page's title."""
    return html.replace(CAPTION, f'{CAPTION} aria-level="2"')


def repair(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    if "body" in context:
        context["body"] = with_level(context["body"])
    contents: Callable[..., str] = context["toctree"]
    context["toctree"] = lambda **options: with_level(contents(**options))


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", repair)
