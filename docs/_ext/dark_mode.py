"""Dark mode: stylesheets which the system's setting switches, and a button that overrides it.

Without JavaScript the page follows the system.  ``color_scheme.js`` stands in the head and only sets the media of these
stylesheets, so that a page is never drawn in the wrong scheme first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

STYLES = {"light": "a11y-high-contrast-light", "dark": "a11y-high-contrast-dark"}  # of accessible-pygments
FOLLOW_SYSTEM = "screen and (prefers-color-scheme: dark)"
AFTER_ALL_OTHERS = 900


def write_highlighting(app: Sphinx, exception: Exception | None) -> None:
    """The colours of code in both schemes.  They follow the theme's stylesheet, which has its own for light."""
    if exception or app.builder.format != "html":
        return
    for scheme, style in STYLES.items():
        css = PygmentsBridge("html", style).get_stylesheet()
        (Path(app.outdir) / f"_static/highlight_{scheme}.css").write_text(css, encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_css_file("highlight_light.css", priority=700)
    for name in ("highlight_dark.css", "dark.css"):
        dark: dict[str, Any] = {"media": FOLLOW_SYSTEM, "data-scheme": "dark"}
        app.add_css_file(name, priority=AFTER_ALL_OTHERS, **dark)
    app.add_js_file("color_scheme.js")
    app.connect("build-finished", write_highlighting)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
