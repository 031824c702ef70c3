"""The guide for language models: ``llms.txt`` lists the pages, ``llms-full.txt`` holds their text, code and outputs.

The form is that of https://llmstxt.org.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from docutils import nodes
from docutils.nodes import Element, SkipNode
from sphinx.application import Sphinx
from sphinx.builders.text import TextBuilder
from sphinx.environment import BuildEnvironment
from sphinx.writers.text import TextTranslator

from ..addresses import site_url
from ..building.kept import Kept
from ..translation.languages import LANGUAGES
from .sharing import summary


class FencedText(TextTranslator):
    """Sphinx's plain text, with code between fences."""

    def visit_literal_block(self, node: Element) -> None:
        language = node.get("language", "")
        fence = "" if language in ("none", "myst-ansi") else language.removesuffix("3")
        self.new_state(0)
        self.add_text(f"```{fence}\n{node.astext().rstrip()}\n```")
        self.end_state(wrap=False)
        raise SkipNode  # its text is written already

    def unknown_visit(self, node: Element) -> None:
        """What only HTML does (folding) leaves the content as it is."""

    def unknown_departure(self, node: Element) -> None:
        pass


def in_reading_order(env: BuildEnvironment, page: str) -> Iterator[str]:
    """The page and all below it, as the table of contents lists them."""
    yield page
    for child in env.toctree_includes.get(page, ()):
        yield from in_reading_order(env, child)


def text_of(app: Sphinx, doctree: nodes.document) -> dict[str, str]:
    """The page's summary, and all of it as text."""
    translator = FencedText(doctree, cast(TextBuilder, app.builder))  # of which it needs the configuration only
    doctree.walkabout(translator)
    return {"summary": summary(doctree), "text": translator.body.strip()}


TEXTS = Kept("llms", text_of)


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    folder = Path(app.outdir)
    root = (site_url() + LANGUAGES[app.config.language].folder) if site_url() else ""
    index, texts = [f"# {app.config.project}\n"], []
    for page in in_reading_order(app.env, app.config.root_doc):
        kept = TEXTS.of(app, page)
        note = kept["summary"]
        if page == app.config.root_doc:
            index.append(f"> {note}\n" if note else "")
        else:
            title = app.env.titles[page].astext()
            index.append(f"- [{title}]({root}{page}.html)" + (f": {note}" if note else ""))
        texts.append(kept["text"])
    (folder / "llms.txt").write_text("\n".join(index) + "\n", encoding="utf-8")
    (folder / "llms-full.txt").write_text("\n\n\n".join(texts) + "\n", encoding="utf-8")


def connect(app: Sphinx) -> None:
    TEXTS.connect(app)
    app.connect("build-finished", write)
