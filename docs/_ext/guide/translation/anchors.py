"""Sections with a Chinese title get an anchor that says what it leads to, ``#填充与截断``.

docutils makes anchors of ASCII letters only and numbers what is left over (``#id3``): such an address leads elsewhere
as soon as a section is inserted.  Translations keep the anchors, so that an address holds in every language.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

HAN = re.compile(r"[\u3400-\u9fff]")


def anchor(title: str) -> str:
    """The words of a title joined by hyphens; no digit first, which a CSS selector could not name.

    >>> anchor("8B 要多少显存？")
    '_8B-要多少显存'
    """
    words = "-".join(re.findall(r"\w+", title))
    return f"_{words}" if words[:1].isdigit() else words


class NameSections(SphinxTransform):
    """Renames what docutils has just numbered."""

    default_priority = 15  # before titles are translated (20) and anything refers to them

    def apply(self, **kwargs: Any) -> None:
        for section in self.document.findall(nodes.section):
            title = section.next_node(nodes.title)
            if title and HAN.search(title.astext()):
                self._rename(section, anchor(title.astext()))

    def _rename(self, section: nodes.section, name: str) -> None:
        old = section["ids"][0]
        if name in self.document.ids:
            return  # two sections of the same title: the second keeps its number
        section["ids"][0] = name
        self.document.ids[name] = self.document.ids.pop(old)
        for target, identifier in self.document.nameids.items():
            if identifier == old:
                self.document.nameids[target] = name


def connect(app: Sphinx) -> None:
    app.add_transform(NameSections)
