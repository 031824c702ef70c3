"""Tells, in one line below the title of a page, what its examples ran on, whether the 8B fits, and where the files are.

Behind its last word: versions, when, memory, the command of each example, and what stood in for something.  Every word
comes from run records.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform

from engine.values.record import Record
from engine.values.rehearsal import Found, Rehearsed, gib

from .cells import cells
from .execution import docname_of, example_of, rehearsed_of, run_of
from .folding import fold

_ = get_translation("guide")

COMMANDS = {".py": "python", ".sh": "bash"}
LICENSE = "MIT-0"  # of examples/: whoever copies a file need not copy anything else
# What the text of a page says of a builder without a chip; where it is a paragraph, '.. only:: not ascend' drops it.
NO_CHIP = re.compile(
    r"虚拟 NPU|NPU 是虚拟的|没有(昇腾)?芯片|virtual NPU|NPU is virtual|no (Ascend )?chip", re.IGNORECASE
)
ALWAYS_SHOWN = ("Python", "torch", "torch_npu", "transformers")


def kind_text(kind: str) -> str:
    """Of a device; silicon is claimed for silicon only."""
    return {"npu": _("昇腾 NPU"), "virtual-npu": _("虚拟 NPU"), "cpu": _("CPU")}[kind]


def device_text(record: Record) -> str:
    """What the run computed on."""
    device, where = record.device, ", ".join(record.device.models)
    return " ".join(part for part in (kind_text(device.kind), device.name, where and f"({where})") if part)


def facts_text(records: list[Record]) -> str:
    """When they ran, on silicon how long all of them took, and with which versions.

    Of packages only those that the examples name, beside the ones that everything here stands on.
    """
    text = "".join(example.text for record in records if (example := example_of(record.example)))
    versions = {name: number.partition("+")[0] for record in records for name, number in record.versions.items()}
    shown = [f"{name} {number}" for name, number in versions.items() if name in ALWAYS_SHOWN or name in text]
    when = max(record.started for record in records).replace("T", " ")[: len("2026-01-01 00:00")]
    ran = [_("%s UTC 运行") % when]
    if all(record.device.kind == "npu" for record in records):  # how long anything else takes tells a reader nothing
        ran.append(_("用时 %.0f 秒") % sum(record.seconds for record in records))
    return " · ".join([*ran, *shown])


def memory_texts(records: list[Record]) -> list[str]:
    """Of what is rehearsed: how much of a card it took here, and takes with the 8B; a line for each example."""
    return [
        _("%(example)s 的显存峰值：这里的小模型 %(small)s（实测），8B %(large)s（空跑）")
        % {"example": record.example, "small": bytes_text(record.device.peak_bytes), "large": at_8b}
        for record in records
        if record.device.peak_bytes and (at_8b := rehearsed_text(rehearsed_of(record.example)))
    ]


def rehearsed_text(rehearsed: Mapping[int, Rehearsed]) -> str:
    """On each number of cards the peak, or that it does not fit."""
    return _("，").join(
        _("%(cards)s %(peak)s") % {"cards": cards_text(cards), "peak": peak_text(each.found)}
        for cards, each in sorted(rehearsed.items())
    )


def cards_text(count: int) -> str:
    return _("1 张卡") if count == 1 else _("%d 张卡") % count


def peak_text(found: Found) -> str:
    """Of a rehearsal."""
    return f"{sizes_text(found)} GiB" if found.fits else _("放不下")


def sizes_text(found: Found) -> str:
    """In GiB the peak, or those of cards that are not equally full."""
    return " / ".join(map(gib, found.peaks or [found.peak_bytes]))


def bytes_text(count: int) -> str:
    return f"{gib(count)} GiB" if count >= 1 << 30 else f"{count / (1 << 20):.0f} MiB"


class ShowBadge(SphinxPostTransform):
    """Adds the badge to pages that show cells, and to the example's own document."""

    default_priority = 2  # before the cells are put in place of their nodes

    def run(self, **kwargs: Any) -> None:
        names = list(dict.fromkeys(node["example"] for node in self.document.findall(cells)))
        if self.env.docname.startswith("examples/"):
            names = [self.env.doc2path(self.env.docname).name]
        runs = [run for name in names if (run := run_of(name))]
        title = next(self.document.findall(nodes.title), None)
        if not runs or not title or self.env.docname == self.config.root_doc:  # the front page says it in words
            return
        records = [run.record for run in runs]
        badge = nodes.container(classes=["run-record", "no-search"])  # the same words on every page
        badge += nodes.paragraph("", "", *_devices(records), *_fits(names), classes=["what"])
        main = next((record for record in records if rehearsed_of(record.example)), records[0])
        badge += nodes.paragraph("", "", *self._files(main), classes=["files"])
        badge += fold("", *self._details(records, main), summary=_("详情"))
        title.parent.insert(title.parent.index(title) + 1, badge)

    def _files(self, record: Record) -> list[nodes.Node]:
        """Links to the script, named in full, and to the notebook beside it."""
        notebook = f"{Path(record.example).stem}.ipynb"
        return [
            self._link(record, record.example, record.example),
            nodes.Text(" "),
            self._link(record, notebook, ".ipynb"),
        ]

    def _link(self, record: Record, file: str, text: str) -> nodes.reference:
        place = self._beside(record, file)
        return nodes.reference("", "", nodes.literal(text=text), refuri=place, reftitle=file, classes=["file"])

    def _details(self, records: list[Record], main: Record) -> list[nodes.Node]:
        devices = [device_text(record) for record in records]
        shown = [
            self._run(record, device if device != before else "", in_bar=record is main)
            for record, device, before in zip(records, devices, ["", *devices], strict=False)
        ]
        texts = [facts_text(records), *memory_texts(records)]
        if all(record.device.kind == "npu" for record in records) and NO_CHIP.search(self.document.astext()):
            said = _(
                "正文里说没有昇腾芯片的句子，说的是没有昇腾主机时构建的本站；这一页的例子是在上面的昇腾 NPU 上运行的。"
            )
            texts.append(said)
        return [*shown, *(nodes.paragraph("", text) for text in texts), *self._standins(records)]

    def _run(self, record: Record, device: str, in_bar: bool) -> nodes.paragraph:
        """Device (unless the line above names it already), files (unless the bar has them), and how to run it alone."""
        line = nodes.paragraph(classes=["run"])
        if device:
            line += nodes.Text(f"{device} · ")
        if not in_bar:
            line += [*self._files(record), nodes.Text(" ")]
        line += nodes.Text(f"{LICENSE} · " + _("单独运行："))
        line += nodes.literal(text=f"{COMMANDS[Path(record.example).suffix]} {record.example}")
        example = example_of(record.example)
        if companions := [path.name for path in example.companions] if example else []:
            line += nodes.Text(_("（与 %s 放在一起）") % ", ".join(companions))
        return line

    def _beside(self, record: Record, file: str) -> str:
        """Address of a file in the folder of the example's own page."""
        page = self.app.builder.get_relative_uri(self.env.docname, docname_of(record.example))
        return page.rpartition("/")[0] + "/" + file if "/" in page else file

    def _standins(self, records: list[Record]) -> list[nodes.Node]:
        """What stood in for something that the examples use."""
        language = "zh" if self.config.language.startswith("zh") else "en"
        used = {standin["name"]: standin[language] for record in records for standin in record.standins}
        if not used:
            return []
        items = nodes.bullet_list()
        for name, sentence in used.items():
            items += nodes.list_item("", nodes.paragraph("", "", nodes.literal(text=name), nodes.Text(f" {sentence}")))
        return [nodes.paragraph("", _("你的主机上用的是真的；构建本站时由这些代替：")), items]


def _devices(records: list[Record]) -> list[nodes.Node]:
    kinds = dict.fromkeys(record.device.kind for record in records)
    return [nodes.strong("", kind_text(kind), classes=[f"device-{kind}"]) for kind in kinds]


def _fits(names: list[str]) -> list[nodes.Node]:
    """Of the first example that is rehearsed: on how few cards the 8B fits."""
    rehearsed = next(filter(None, map(rehearsed_of, names)), {})
    if not rehearsed:
        return []
    fitting = [cards for cards, each in sorted(rehearsed.items()) if each.found.fits]
    if not fitting:
        return [nodes.inline("", _("8B：%s放不下") % cards_text(max(rehearsed)), classes=["does-not-fit"])]
    found = rehearsed[fitting[0]].found
    alike = fitting[0] > 1 and not found.peaks  # each card is as full as the others
    text = _("8B：%(cards)s放得下，每张 %(peak)s") if alike else _("8B：%(cards)s放得下，%(peak)s")
    at_most = "≤ " if found.peaks else ""
    facts = {"cards": cards_text(fitting[0]), "peak": f"{at_most}{gib(found.peak_bytes)} GiB"}
    return [nodes.inline("", text % facts, classes=["fits"])]


def connect(app: Sphinx) -> None:
    app.add_post_transform(ShowBadge)
