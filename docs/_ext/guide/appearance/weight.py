"""Makes a page light: one stylesheet with what pages use of all that others bring, and no jQuery.

The theme brings 137 kB of styles, most of them for icons and parts that no page has, MyST-NB and sphinx-design 98 kB;
jQuery, which only the theme's menu asked for, is larger than all other scripts together (``menu.js`` does its work).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

UNUSED_SCRIPTS = ("jquery.js", "_sphinx_javascript_frameworks_compat.js")
UNUSED_STYLES = ("pygments.css",)  # highlight_light.css has the colours of code
BUNDLE = "styles.css"
BUNDLED = ("css/theme.css", "mystnb.*.css", "sphinx-design.min.css", "copybutton.css", "highlight_light.css")
CLASS_ATTRIBUTE = re.compile(r'class="([^"]*)"')
WORD = re.compile(r"[\w-]+")
TABLE = re.compile(r'<table class="(?:[^"]* )?docutils\b.*?</table>', re.DOTALL)


def lighten(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """Leave out what no page needs; box tables, which the theme's script did once the page was there."""
    styles = (*UNUSED_STYLES, *(Path(pattern).name for pattern in BUNDLED))
    for kind, unused in (("script_files", UNUSED_SCRIPTS), ("css_files", styles)):
        context[kind] = [file for file in context[kind] if not any(fnmatch(_name(file), each) for each in unused)]
    if "body" in context:
        context["body"] = TABLE.sub(r'<div class="wy-table-responsive">\g<0></div>', context["body"])


def _name(file: Any) -> str:
    return Path(str(file.filename or "")).name


def bundle(app: Sphinx, exception: Exception | None) -> None:
    """Once all pages are written: what they and the scripts name is what is used."""
    static = Path(app.outdir) / "_static"
    pages = list(Path(app.outdir).rglob("*.html"))
    scripts = [script for script in static.glob("*.js") if script.name not in ("search_index.js", *UNUSED_SCRIPTS)]
    styles = [file for pattern in BUNDLED for file in static.glob(pattern)]
    if exception or app.builder.name != "html" or not _newer([*pages, *scripts, *styles], static / BUNDLE):
        return
    from .stylesheet import trimmed  # not above: a build that writes nothing needs nothing of it

    used = set[str]()
    for page in pages:
        used.update(*(names.split() for names in CLASS_ATTRIBUTE.findall(page.read_text(encoding="utf-8"))))
    for script in scripts:
        used.update(WORD.findall(script.read_text(encoding="utf-8")))
    text = "\n".join(trimmed(style.read_text(encoding="utf-8"), used) for style in styles)
    (static / BUNDLE).write_text(text, encoding="utf-8")


def _newer(files: Iterable[Path], than: Path) -> bool:
    """Whether any of them is, or it is not there yet."""
    return not than.exists() or any(file.stat().st_mtime >= than.stat().st_mtime for file in files)


def connect(app: Sphinx) -> None:
    app.add_css_file(BUNDLE, priority=300)  # before guide.css
    app.connect("html-page-context", lighten, priority=900)
    app.connect("build-finished", bundle, priority=900)  # once all is copied
