"""Makes each line of code and output an element of its own, so that guide.css can mark where a long one is broken.

The end of a line stays a character between two of them: what is selected and copied is the text as it was.
"""

from __future__ import annotations

from collections.abc import Iterator

from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

Pieces = Iterator[tuple[int, str]]  # of a line of the source: 1


class LineFormatter(HtmlFormatter):
    """Pygments' own, with a span around each line."""

    def wrap(self, source: Pieces) -> Pieces:
        lines = ((is_line, _as_element(text) if is_line else text) for is_line, text in source)
        wrapped: Pieces = super().wrap(lines)
        return wrapped


def _as_element(line: str) -> str:
    text = line.replace("\n</span>", "</span>").removesuffix("\n")  # of a highlighted line it stands inside
    return f'<span class="line">{text}</span>\n'


def use(app: Sphinx) -> None:
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.highlighter.formatter = LineFormatter


def connect(app: Sphinx) -> None:
    app.connect("builder-inited", use)
