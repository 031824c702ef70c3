"""A cell as it is on the reader's own host: with the 8B, where that was rehearsed, and with his number of cards.

On the site only, and only once he has chosen (:mod:`your_host`).  With the 8B a cell has the lines that were rehearsed,
and says what the rehearsal changed for itself.  A command has his number of cards where its script was rehearsed on so
many; elsewhere that is said below it, for it ran with the number that it shows.
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
SCRIPT = re.compile(r"\b\w+\.py\b")
TRAINS = re.compile(r"\.train\(|\.step\(\)")
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
    facts = {"lines": _changed_lines(old, new), "alone": _of_rehearsal_alone(rehearsal)}
    facts["trains"] = bool(TRAINS.search(rehearsal.text))
    yield with_8b(text=new, source="hub", **facts)
    yield with_8b(text=MODEL_LINE.sub(FOLDER_LINE, new), source="folder", **facts)


def _cell(rehearsal: Rehearsal, text: str, name: str) -> str:
    return next(cell.source for cell in parsed(rehearsal.example.path, text).cells if cell.name == name)


def _changed_lines(old: str, new: str) -> list[int]:
    """Of the new text, counted from 1."""
    compared = opcodes(old.splitlines(), new.splitlines())
    changes = ((begin, end) for tag, _first, _last, begin, end in compared if tag != "equal")
    return [line + 1 for begin, end in changes for line in range(begin, end)]


def _of_rehearsal_alone(rehearsal: Rehearsal) -> list[str]:
    """Lines that only the rehearsal had, and no reader has."""
    shown = rehearsal.shown.splitlines()
    return [
        rehearsal.text.splitlines()[line - 1].strip(" ,") for line in _changed_lines("\n".join(shown), rehearsal.text)
    ]


def _on_cards(code: str) -> Iterator[on_your_cards]:
    if (launched := LAUNCHED.search(code)) and OF_SO_MANY_CARDS not in code:
        script = SCRIPT.search(code, launched.end())
        found = rehearsed_of(script[0]) if script else {}
        fitting = [cards for cards, each in found.items() if each.found.fits]
        yield on_your_cards(option=launched[0], count=int(launched["count"]), code=code, rehearsed=fitting)


def visit_with_8b(self: HTML5Translator, node: Element) -> None:
    said = {
        "hub": _("标出的行已按你选的 8B 换好，这样空跑过，见页首的方框。下面的输出仍是小模型的。"),
        "folder": _("标出的行已按你选的 8B 和 ModelScope 换好，见页首的方框。下面的输出仍是小模型的。"),
    }
    sentences = [escape(said[node["source"]]), *_about_rehearsal(node)]
    highlighted = self.highlighter.highlight_block(node["text"], "python", hl_lines=node["lines"], location=node)
    self.body.append(
        f'<div class="cell_input with-8b from-{node["source"]} no-search"><p>{" ".join(sentences)}</p>'
        f'<div class="highlight-python notranslate">{highlighted}</div></div>'
    )
    raise nodes.SkipNode


def _about_rehearsal(node: Element) -> Iterator[str]:
    """What was otherwise when these lines were rehearsed, as HTML."""
    if node["trains"]:
        yield escape(_("空跑时训练只走前几步，取最长的几行。"))
    if node["alone"]:
        lines = ", ".join(f"<code>{escape(line)}</code>" for line in node["alone"])
        yield escape(_("只在空跑时还改了：{lines}。")).format(lines=lines)


def visit_on_your_cards(self: HTML5Translator, node: Element) -> None:
    option, count = node["option"], node["count"]
    for value in choices()["cards"].values:
        if int(value) != count and int(value) in node["rehearsed"]:
            _write_with_cards(self, node, value)
            continue
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


def _write_with_cards(self: HTML5Translator, node: Element, value: str) -> None:
    """The cell with a reader's number of cards, which was rehearsed."""
    said = _("命令已按你的 %(yours)s 张卡换好：8B 用这么多张卡空跑过。下面的输出是用 %(here)d 张运行的。")
    yours = node["option"].replace(str(node["count"]), value)
    text = node["code"].replace(node["option"], yours)
    changed = _changed_lines(node["code"], text)
    highlighted = self.highlighter.highlight_block(text, "bash", hl_lines=changed, location=node)
    self.body.append(
        f'<div class="cell_input with-cards {marked_for("cards", value)} no-search">'
        f"<p>{escape(said % {'yours': value, 'here': node['count']})}</p>"
        f'<div class="highlight-bash notranslate">{highlighted}</div></div>'
    )


def leave_out(self: object, node: Element) -> None:
    raise nodes.SkipNode


def connect(app: Sphinx) -> None:
    app.add_node(with_8b, html=(visit_with_8b, None), text=(leave_out, None))
    app.add_node(on_your_cards, html=(visit_on_your_cards, None), text=(leave_out, None))
    app.add_post_transform(ShowVariants)
