"""Makes a page light: one stylesheet with what pages use of all that others bring, and no jQuery.

The theme brings 137 kB of styles, most of them for icons and parts that no page has, MyST-NB and sphinx-design 98 kB;
jQuery, which only the theme's menu asked for, is larger than all other scripts together (``menu.js`` does its work).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

UNUSED_SCRIPTS = ("jquery.js", "_sphinx_javascript_frameworks_compat.js")
UNUSED_STYLES = ("pygments.css",)  # highlight_light.css has the colours of code
BUNDLE = "styles.css"
BUNDLED = ("css/theme.css", "mystnb.*.css", "sphinx-design.min.css", "copybutton.css", "highlight_light.css")
CLASS_ATTRIBUTE = re.compile(r'class="([^"]*)"')
CLASS_IN_SELECTOR = re.compile(r"\.(-?[A-Za-z_][\w-]*)")
WORD = re.compile(r"[\w-]+")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
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


def rules(css: str) -> Iterator[tuple[str, str]]:
    """What stands before each pair of outer braces, and what in them: nothing, for a statement that has none."""
    start = opened = depth = 0
    for match in re.finditer(r'[{};]|"[^"]*"|url\([^)]*\)', css):
        mark = match[0]
        if mark == "{":
            depth += 1
            if depth == 1:
                opened = match.start()
        elif mark == "}":
            depth -= 1
            if depth == 0:
                yield css[start:opened].strip(), css[opened + 1 : match.start()]
                start = match.end()
        elif mark == ";" and depth == 0:
            yield css[start : match.end()].strip(), ""
            start = match.end()


def trimmed(css: str, used: set[str]) -> str:
    """Without the rules whose every selector asks for a class that nothing has, and without fonts.

    >>> trimmed(".a,.b{x:1}.b:hover{y:2}@media print{.b{z:3}.a .c{z:4}}p{w:5}@font-face{f:6}", {"a", "c"})
    '.a{x:1}@media print{.a .c{z:4}}p{w:5}'
    """
    kept = []
    for before, within in rules(COMMENT.sub("", css)):
        if before.startswith(("@media", "@supports")):
            if inner := trimmed(within, used):
                kept.append(f"{before}{{{inner}}}")
        elif before.startswith("@font-face"):
            continue
        elif before.startswith("@") or not within:
            kept.append(f"{before}{{{within}}}" if within else before)
        elif selectors := [each for each in _split(before) if set(CLASS_IN_SELECTOR.findall(each)) <= used]:
            kept.append(f"{','.join(selectors)}{{{within}}}")
    return "".join(kept)


def _split(selectors: str) -> list[str]:
    """At the commas that are in no brackets."""
    return re.split(r",(?![^(\[]*[)\]])", selectors)


def bundle(app: Sphinx, exception: Exception | None) -> None:
    """Once all pages are written: what they and the scripts name is what is used."""
    if exception or app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    used = set[str]()
    for page in Path(app.outdir).rglob("*.html"):
        used.update(*(names.split() for names in CLASS_ATTRIBUTE.findall(page.read_text(encoding="utf-8"))))
    for script in static.glob("*.js"):
        if script.name not in ("search_index.js", *UNUSED_SCRIPTS):
            used.update(WORD.findall(script.read_text(encoding="utf-8")))
    styles = (file.read_text(encoding="utf-8") for pattern in BUNDLED for file in static.glob(pattern))
    (static / BUNDLE).write_text("\n".join(trimmed(css, used) for css in styles), encoding="utf-8")


def connect(app: Sphinx) -> None:
    app.add_css_file(BUNDLE, priority=300)  # before guide.css
    app.connect("html-page-context", lighten, priority=900)
    app.connect("build-finished", bundle, priority=900)  # once all is copied
