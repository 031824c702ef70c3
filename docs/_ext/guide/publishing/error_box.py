"""``.. error-box::`` asks for an error as it was printed, and leads to what the search finds for it."""

from __future__ import annotations

from html import escape

from docutils import nodes
from docutils.nodes import Element, Node
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from ..runs.folding import is_book

_ = get_translation("guide")


class error_box(nodes.General, nodes.Element):
    """A form, which only a web page has."""


class ErrorBox(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        return [error_box()]


def visit(self: HTML5Translator, node: Element) -> None:
    if is_book(self.builder):  # handlers for epub alone would take the place of all that it has as HTML
        raise nodes.SkipNode
    search = self.builder.get_relative_uri(self.builder.current_docname, "search")
    label, button = escape(_("把报错粘贴到这里")), escape(_("找到它的答案"))
    example = escape(_("例如 107001，或报错的最后几行"))
    self.body.append(
        f'<form class="error-box no-search" action="{search}" method="get"><label for="pasted-error">{label}</label>'
        f'<textarea id="pasted-error" name="q" rows="2" required spellcheck="false" placeholder="{example}"></textarea>'
        f'<button type="submit">{button}</button></form>'
    )
    raise nodes.SkipNode


def leave_out(self: object, node: Element) -> None:
    raise nodes.SkipNode


def connect(app: Sphinx) -> None:
    app.add_node(error_box, html=(visit, None), text=(leave_out, None))
    app.add_directive("error-box", ErrorBox)
