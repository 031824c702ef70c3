"""Dark mode: it follows the system, and a button overrides it.

The dark styles stand in the page itself, after the stylesheets: ``color_scheme.js`` only sets their ``media``, nothing
has to be loaded, and no page is drawn in the wrong scheme first.  Without JavaScript they follow the system.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

LIGHT, DARK = "a11y-high-contrast-light", "a11y-high-contrast-dark"  # code in both schemes, of accessible-pygments


@cache
def highlighting(style: str) -> str:
    """The stylesheet for code."""
    return PygmentsBridge("html", style).get_stylesheet()


def add_dark_code(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    context["dark_code"] = highlighting(DARK)


def write_light_code(app: Sphinx, exception: Exception | None) -> None:
    """After the theme's stylesheet, which has colours of its own for code."""
    if not exception and app.builder.format == "html":
        (Path(app.outdir) / "_static/highlight_light.css").write_text(highlighting(LIGHT), encoding="utf-8")


def connect(app: Sphinx) -> None:
    app.add_css_file("highlight_light.css", priority=700)
    app.connect("html-page-context", add_dark_code)
    app.connect("build-finished", write_light_code)
