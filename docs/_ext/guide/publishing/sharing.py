"""What search engines and messengers show of a page: its description and OpenGraph card, from its first sentence."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from ..translation.languages import LANGUAGES

LENGTH = 160  # characters that are shown, at most


def summary(doctree: nodes.document) -> str:
    """The page's first paragraph, which says what a reader will have at the end; empty when there is none."""
    section = next(doctree.findall(nodes.section), None)
    paragraphs = (node for node in section or () if isinstance(node, nodes.paragraph))
    text = " ".join(next(paragraphs, nodes.Text("")).astext().split())
    return text if len(text) <= LENGTH else text[: LENGTH - 1] + "…"


def add_tags(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if not doctree:
        return
    title = nodes.Text(context["title"]).astext()
    card = {
        "og:type": "website" if pagename == app.config.root_doc else "article",
        "og:site_name": app.config.project,
        "og:locale": LANGUAGES[app.config.language].tag.replace("-", "_"),
        "og:title": title,
        "og:description": summary(doctree),
        "og:url": context.get("pageurl") or "",
    }
    if app.config.html_baseurl and app.builder.name == "html" and not pagename.startswith("examples/"):
        from . import card as picture  # not above: Pillow is needed only where cards are drawn

        file = f"_static/cards/{pagename}.png"
        picture.draw(app.config.project, title, card["og:description"], Path(app.outdir) / file)
        card |= {"og:image": app.config.html_baseurl + file, "og:image:alt": title}
        card |= {"twitter:card": "summary_large_image"}
    tags = [f'<meta property="{name}" content="{escape(text)}" />' for name, text in card.items() if text]
    if description := card["og:description"]:
        tags.append(f'<meta name="description" content="{escape(description)}" />')
    context["metatags"] = context.get("metatags", "") + "\n  " + "\n  ".join(tags)


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", add_tags)
