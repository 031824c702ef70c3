"""``.. at-8b:: lora.py`` tells, at the top of a page, what its examples are with the real 8B.

All of it is generated: the lines to change from ``rehearsals/NAME.toml``, and whether that fits, with its peak, from
the rehearsal of exactly these lines.  A rehearsal that contradicts what the page announces is an error of the page.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.nodes import Element, Node
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.writers.html5 import HTML5Translator

from engine.values.rehearsal import Hunk, Rehearsal, Rehearsed, gib

from .badge import cards_text, sizes_text
from .execution import READ_ONLY_BUILDERS, docname_of, rehearsals, rehearsed_of
from .folding import fold, pass_fold
from .variants import FOLDER_LINE
from .your_host import marked_for

logger = logging.getLogger(__name__)
_ = get_translation("guide")

MODELSCOPE = "model_modelscope"  # the page that downloads from there
SPARE = 2 << 30  # bytes of a card; the box asks to leave a few GiB for what a rehearsal does not know of


class at_8b(nodes.General, nodes.Element):
    """Stands for the box until the page is written, when all rehearsals are known."""


class gauge(nodes.Inline, nodes.Element):
    """A bar: how much of a card tensors take, and the allocator."""


class At8B(SphinxDirective):
    """File names of examples."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[Node]:
        names = self.arguments[0].split()
        for name in names:
            rehearsal = rehearsals().get(name)
            if rehearsal is None:
                raise self.error(f"{name} is not rehearsed; write rehearsals/{name}.toml, or name another example")
            self.env.note_dependency(str(rehearsal.path))
            self.env.note_dependency(str(rehearsal.example.path))
        shown = self.env.metadata[self.env.docname].setdefault("at_8b", [])
        shown += [(name, self.lineno) for name in names]
        return [at_8b(examples=names)]


class ShowAt8B(SphinxPostTransform):
    """Fills the box."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        for node in list(self.document.findall(at_8b)):
            box = nodes.container(classes=["at-8b", "no-search"])  # nearly the same words on every page
            box += nodes.paragraph("", _("换成真正的 8B"), classes=["at-8b-title"])
            for name in node["examples"]:
                box += self._example(rehearsals()[name], rehearsed_of(name), alone=len(node["examples"]) == 1)
            box += fold(
                "", *map(_paragraph, _limits()), summary=_("怎样得出：空跑（dry run），真实的形状和分配器，不做计算")
            )
            node.replace_self(box)

    def _example(self, rehearsal: Rehearsal, found: dict[int, Rehearsed], alone: bool) -> list[Node]:
        parts: list[Node] = [] if alone else [_paragraph(nodes.literal(text=rehearsal.example.name))]
        parts += [_verdict(found[cards], rehearsal) for cards in rehearsal.cards if cards in found]
        if not found:
            parts.append(_paragraph(_("本次构建没有空跑：这里没有虚拟 NPU。")))
        if rehearsal.instead:
            parts.append(_paragraph(_("一张卡放得下的做法："), self._link(rehearsal.instead)))
        parts += _lines(rehearsal.hunks)
        if rehearsal.fits and MODELSCOPE in self.env.found_docs:
            parts.append(self._from_modelscope())
        return parts

    def _from_modelscope(self) -> nodes.paragraph:
        """Its hub has the model by another name, so that it is downloaded to a folder first."""
        uri = self.app.builder.get_relative_uri(self.env.docname, MODELSCOPE)
        link = nodes.reference("", "ModelScope", refuri=uri, internal=True)
        line = _paragraph(_("从 "), link, _(" 取的 8B，写下载到的文件夹："), nodes.literal(text=FOLDER_LINE))
        line["classes"] = ["from-modelscope", marked_for("hub", "modelscope")]
        return line

    def _link(self, example: str) -> nodes.reference:
        """To the page that tells of that example with the 8B, else to the example itself."""
        pages = (page for page, shown in shown_boxes(self.env) if example in dict(shown))
        target = next(pages, docname_of(example))
        uri = self.app.builder.get_relative_uri(self.env.docname, target)
        return nodes.reference("", "", nodes.literal(text=example), refuri=uri, internal=True)


def _paragraph(*parts: Node | str) -> nodes.paragraph:
    return nodes.paragraph("", "", *(nodes.Text(part) if isinstance(part, str) else part for part in parts))


def _verdict(rehearsed: Rehearsed, rehearsal: Rehearsal) -> nodes.paragraph:
    """One line for a number of cards: fits, with its peak, or where it stops."""
    found = rehearsed.found
    about = marked_for("cards", str(rehearsed.cards))
    line = nodes.paragraph(classes=["verdict", "fits" if found.fits else "does-not-fit", about])
    line += nodes.inline("", cards_text(rehearsed.cards))
    if found.stop:
        line += nodes.inline("", _("✗ 放不下"), classes=["mark"])
        line += nodes.inline("", _("停在 %s 这段代码：") % found.stop.cell, classes=["rest"])
        line += nodes.literal(text=found.out_of_memory or found.stop.error)
        return line
    line += nodes.inline("", _("✓ 放得下"), classes=["mark"])
    line += gauge(peak=found.peak_bytes / found.card_bytes, held=found.reserved_bytes / found.card_bytes)
    peak = _("峰值 %s GiB") if rehearsed.cards == 1 or found.peaks else _("每张峰值 %s GiB")
    line += nodes.strong("", peak % sizes_text(found))
    facts = {"held": gib(found.reserved_bytes), "all": gib(found.card_bytes)}
    line += nodes.inline("", _("分配器保留 %(held)s，一张卡 %(all)s") % facts, classes=["rest"])
    if (left := found.card_bytes - found.reserved_bytes) < SPARE:
        line += nodes.inline("", _("只剩 %s GiB，真卡上可能放不下") % gib(left), classes=["mark", "tight"])
    if (processes := rehearsal.processes(rehearsed.cards)) > 1:
        line += nodes.literal(text=f"torchrun --standalone --nproc_per_node {processes} {rehearsal.example.name}")
    return line


def _lines(hunks: list[Hunk]) -> list[Node]:
    """What to change, as a person would: one line, or a difference by cells."""
    if not hunks:
        return []
    if len(hunks) == 1 and len(hunks[0].new) == 1:
        return [_paragraph(_("只改一行，其余一个字都不用动：")), _block(hunks[0].new[0], "python")]
    text = "\n".join(
        "\n".join([f"  # %% {hunk.cell}", *(f"- {line}" for line in hunk.old), *(f"+ {line}" for line in hunk.new)])
        for hunk in hunks
    )
    return [_paragraph(_("改这几行，其余不动：")), _block(text, "diff")]


def _block(text: str, language: str) -> nodes.literal_block:
    return nodes.literal_block(text, text, language=language, classes=[f"at-8b-{language}"])


def _limits() -> list[str]:
    """What a rehearsal is, and what it can not know."""
    return [
        _(
            "构建这一页时，上面的文件改好这几行，以 8B 的名字和真实的形状在虚拟 NPU 上运行了一遍：设备内存只占地址，"
            "算子只推出结果的形状，计数的是 torch_npu 自己的缓存分配器，显存不足也是它报的。"
            "卡的大小按 910B 实际报告的 60.97 GiB。"
        ),
        _(
            "它不知道的：算子的工作区、HCCL 的缓冲区（默认每个通信域约 400 MB）、CANN 自己占的显存、真实芯片上的碎片；"
            "也不知道用时、损失和答案。给它们留出几个 GiB。"
        ),
    ]


def shown_boxes(env: BuildEnvironment) -> list[tuple[str, list[tuple[str, int]]]]:
    """Of every page the examples in its box, with the line of the directive."""
    return [(page, metadata["at_8b"]) for page, metadata in env.metadata.items() if "at_8b" in metadata]


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Pages whose rehearsals are others than those they show."""
    known: dict[str, list[str]] = getattr(env, "rehearsals_shown", {})
    now = {name: [each.started + each.key for each in rehearsed_of(name).values()] for name in rehearsals()}
    env.rehearsals_shown = now  # type: ignore[attr-defined]
    stale = {name for name in now if known.get(name) != now[name]}
    return [page for page, shown in shown_boxes(env) if stale & set(dict(shown))]


def judge(app: Sphinx, env: BuildEnvironment) -> None:
    """An error at each directive whose examples are not what the page announces, and for a rehearsal no page shows."""
    if app.builder.name in READ_ONLY_BUILDERS:
        return
    shown = [(name, (page, line)) for page, examples in shown_boxes(env) for name, line in examples]
    for name, rehearsal in rehearsals().items():
        places: list[Any] = [place for shown_name, place in shown if shown_name == name]
        if not places:
            message = f"no page shows this rehearsal; write '.. at-8b:: {name}' below the title of one"
            logger.error(message, location=f"rehearsals/{rehearsal.path.name}:1")
        for found in rehearsed_of(name).values():
            if fault := rehearsal.contradiction(found):
                app.statuscode = 1  # with or without -W
                for place in places or [f"rehearsals/{rehearsal.path.name}:1"]:
                    logger.error(fault, location=place)


def visit_gauge(self: HTML5Translator, node: Element) -> None:
    style = f"--peak: {node['peak']:.1%}; --held: {node['held']:.1%}"
    self.body.append(f'<span class="gauge" style="{style}" aria-hidden="true">')


def depart_gauge(self: HTML5Translator, node: Element) -> None:
    self.body.append("</span>")


def connect(app: Sphinx) -> None:
    app.add_node(at_8b)
    app.add_node(gauge, html=(visit_gauge, depart_gauge), text=(pass_fold, pass_fold), latex=(pass_fold, pass_fold))
    app.add_directive("at-8b", At8B)
    app.add_post_transform(ShowAt8B)
    app.connect("env-get-outdated", outdated)
    app.connect("env-updated", judge)
