"""Tells, below the title of a page, what its examples ran on, with which versions, when and how long.

Every word of it comes from run records.  A page on which something stood in says what, beside the downloads of the
example as a script and as an executed notebook.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

import nbformat
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
    return f"{gib(found.peak_bytes)} GiB" if found.fits else _("放不下")


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
        badge = nodes.container(classes=["run-record", "no-search"])  # the same words on every page
        records = [run.record for run in runs]
        devices = [device_text(record) for record in records]
        for record, device, before in zip(records, devices, ["", *devices], strict=False):
            badge += self._run(record, device if device != before else "")
        badge += nodes.paragraph("", facts_text(records), classes=["facts"])
        badge += [nodes.paragraph("", text, classes=["facts"]) for text in memory_texts(records)]
        if all(record.device.kind == "npu" for record in records) and NO_CHIP.search(self.document.astext()):
            said = _(
                "正文里说没有昇腾芯片的句子，说的是没有昇腾主机时构建的本站；这一页的例子是在上面的昇腾 NPU 上运行的。"
            )
            badge += nodes.paragraph("", said, classes=["facts"])
        badge += self._standins(records)
        title.parent.insert(title.parent.index(title) + 1, badge)

    def _run(self, record: Record, device: str) -> nodes.paragraph:
        """Device (unless the line above names it already), files, and the command that runs the example alone."""
        line = nodes.paragraph(classes=["run"])
        if device:
            line += [nodes.strong("", device, classes=[f"device-{record.device.kind}"]), nodes.Text(" ")]
        for file in (record.example, f"{Path(record.example).stem}.ipynb"):
            line += nodes.reference(
                "", "", nodes.literal(text=file), refuri=self._beside(record, file), classes=["file"]
            )
            line += nodes.Text(" ")
        line += nodes.inline("", f"{LICENSE} · " + _("单独运行："), classes=["facts"])
        line += nodes.literal(text=f"{COMMANDS[Path(record.example).suffix]} {record.example}")
        example = example_of(record.example)
        if companions := [path.name for path in example.companions] if example else []:
            line += nodes.inline("", _("（与 %s 放在一起）") % ", ".join(companions), classes=["facts"])
        return line

    def _beside(self, record: Record, file: str) -> str:
        """Address of a file in the folder of the example's own page."""
        page = self.app.builder.get_relative_uri(self.env.docname, docname_of(record.example))
        return page.rpartition("/")[0] + "/" + file if "/" in page else file

    def _standins(self, records: list[Record]) -> list[nodes.Node]:
        """What stood in for something that the examples use: names at once, the rest when it is opened."""
        language = "zh" if self.config.language.startswith("zh") else "en"
        used = {standin["name"]: standin[language] for record in records for standin in record.standins}
        if not used:
            return []
        items = nodes.bullet_list()
        for name, sentence in used.items():
            items += nodes.list_item("", nodes.paragraph("", "", nodes.literal(text=name), nodes.Text(f" {sentence}")))
        return [fold("", items, summary=_("由替身代替：%s") % ", ".join(used), classes=["standins"])]


def write_files(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Put an example beside its page, as the script that readers copy and as the executed notebook."""
    if not doctree or app.builder.name != "html" or not pagename.startswith("examples/"):
        return
    example = example_of(app.env.doc2path(pagename).name)
    run = run_of(example.name) if example else None
    if example and run:
        folder = Path(app.outdir) / "examples"
        folder.mkdir(exist_ok=True)
        (folder / example.name).write_text(example.text, encoding="utf-8")
        notebook = deepcopy(run.notebook)
        notebook.metadata["license"] = LICENSE
        notebook.metadata["run_record"] = run.record.to_json()
        nbformat.write(notebook, folder / f"{example.path.stem}.ipynb")


def connect(app: Sphinx) -> None:
    app.add_post_transform(ShowBadge)
    app.connect("html-page-context", write_files)
