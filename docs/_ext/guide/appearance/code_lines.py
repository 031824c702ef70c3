"""Makes each longer line of code and output an element of its own: guide.css marks where such a one is broken.

The end of a line stays a character between two of them: what is selected and copied is the text as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

from pygments.formatters import HtmlFormatter
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

SHORT = 34  # columns, which fit the smallest phone: of most lines nothing has to be made
BESIDE_BUTTON = 30  # the first line has the copy button beside it
WIDE = re.compile(r"[\u2e80-\uffff]")
TAG = re.compile(r"<[^>]+>")
Pieces = Iterator[tuple[int, str]]  # of a line of the source: 1


class LineFormatter(HtmlFormatter):
    """Pygments' own, with a span around each line that may be broken."""

    def wrap(self, source: Pieces) -> Pieces:
        lines = (
            (is_line, _as_element(text, SHORT if place else BESIDE_BUTTON) if is_line else text)
            for place, (is_line, text) in enumerate(source)
        )
        wrapped: Pieces = super().wrap(lines)
        return wrapped


def _as_element(line: str, short: int) -> str:
    text = line.replace("\n</span>", "</span>").removesuffix("\n")  # of a highlighted line it stands inside
    seen = WIDE.sub("  ", unescape(TAG.sub("", text)))
    if len(seen) <= short:
        return f"{text}\n"
    return f'<span class="line">{text}</span>\n'


def use(app: Sphinx) -> None:
    if isinstance(app.builder, StandaloneHTMLBuilder):
        app.builder.highlighter.formatter = LineFormatter


def connect(app: Sphinx) -> None:
    app.connect("builder-inited", use)
