"""A cell as it is on the reader's own host: with the 8B, where that was rehearsed, and with his number of cards.

On the site only, and only once he has chosen (:mod:`your_host`).  With the 8B a cell has exactly the lines that were
rehearsed; what it is with another number of cards is said below it, for it ran with the number that it shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from docutils import nodes
from docutils.nodes import Element
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.writers.html5 import HTML5Translator

from engine.values.example import parsed
from engine.values.rehearsal import MODEL_LINE, Rehearsal, opcodes

from .execution import rehearsals, rehearsed_of
from .folding import is_book
from .your_host import choices, marked_for

_ = get_translation("guide")

FOLDER_LINE = 'model_id = "Meta-Llama-3-8B-Instruct"'  # where the page about ModelScope downloads it to
LAUNCHED = re.compile(r"--(?:nproc_per_node|num_processes) (?P<count>[2-9])\b")
OF_SO_MANY_CARDS = "RANK_TABLE_FILE"  # names each of them


class with_8b(nodes.General, nodes.Element):
    """Another text of a cell."""


class on_your_cards(nodes.General, nodes.Element):
    """What changes where it is started on other numbers of cards."""


class ShowVariants(SphinxPostTransform):
    """Puts them into the cells of a page."""

    default_priority = 5  # after the cells are on the page
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        if is_book(self.app.builder):
            return
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") == "cell_code" and "example" in cell:
                code = next(iter(cell.findall(nodes.literal_block)))
                cell[1:1] = [*_with_8b(cell["example"], cell["cell_metadata"]["title"]), *_on_cards(code.astext())]


def _with_8b(example: str, name: str) -> Iterator[with_8b]:
    """The cell as it was rehearsed, and as it is where the model was downloaded to a folder."""
    rehearsal = rehearsals().get(example)
    if rehearsal is None or not rehearsal.fits or not rehearsed_of(example):
        return
    old, new = _cell(rehearsal, rehearsal.example.text, name), _cell(rehearsal, rehearsal.shown, name)
    if new == old:
        return
    changed = _changed_lines(old, new)
    yield with_8b(text=new, lines=changed, source="hub")
    yield with_8b(text=MODEL_LINE.sub(FOLDER_LINE, new), lines=changed, source="folder")


def _cell(rehearsal: Rehearsal, text: str, name: str) -> str:
    return next(cell.source for cell in parsed(rehearsal.example.path, text).cells if cell.name == name)


def _changed_lines(old: str, new: str) -> list[int]:
    """Of the new text, counted from 1."""
    compared = opcodes(old.splitlines(), new.splitlines())
    changes = ((begin, end) for tag, _first, _last, begin, end in compared if tag != "equal")
    return [line + 1 for begin, end in changes for line in range(begin, end)]


def _on_cards(code: str) -> Iterator[on_your_cards]:
    if (launched := LAUNCHED.search(code)) and OF_SO_MANY_CARDS not in code:
        yield on_your_cards(option=launched[0], count=int(launched["count"]))


def visit_with_8b(self: HTML5Translator, node: Element) -> None:
    said = {
        "hub": _("标出的行已按你选的 8B 换好，这样空跑过，见页首的方框。下面的输出仍是小模型的。"),
        "folder": _("标出的行已按你选的 8B 和 ModelScope 换好，见页首的方框。下面的输出仍是小模型的。"),
    }
    highlighted = self.highlighter.highlight_block(node["text"], "python", hl_lines=node["lines"], location=node)
    self.body.append(
        f'<div class="cell_input with-8b from-{node["source"]} no-search"><p>{escape(said[node["source"]])}</p>'
        f'<div class="highlight-python notranslate">{highlighted}</div></div>'
    )
    raise nodes.SkipNode


def visit_on_your_cards(self: HTML5Translator, node: Element) -> None:
    option, count = node["option"], node["count"]
    for value in choices()["cards"].values:
        if int(value) < 2:
            said = escape(_("你的主机有一张卡：这段代码要 %d 张，跳过它。") % count)
        elif int(value) != count:
            yours = f"{option.partition(' ')[0]} {value}"
            said = escape(_("你的主机有 %(yours)s 张卡：把 {old} 换成 {new}。这里是用 %(here)d 张运行的。")) % {
                "yours": value,
                "here": count,
            }
            said = said.format(old=f"<code>{escape(option)}</code>", new=f"<code>{escape(yours)}</code>")
        else:
            continue
        self.body.append(f'<p class="of-cards {marked_for("cards", value)}">{said}</p>')
    raise nodes.SkipNode


def leave_out(self: object, node: Element) -> None:
    raise nodes.SkipNode


def connect(app: Sphinx) -> None:
    app.add_node(with_8b, html=(visit_with_8b, None), text=(leave_out, None))
    app.add_node(on_your_cards, html=(visit_on_your_cards, None), text=(leave_out, None))
    app.add_post_transform(ShowVariants)
