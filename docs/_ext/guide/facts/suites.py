"""``.. suites::`` shows what ``python -m benchmarks.suites`` found last: other libraries' tests on the device here.

It reads the records in the folder that ``suites_found`` names, as the runs wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from .tables import table

_ = get_translation("guide")


class suites(nodes.General, nodes.Element):
    """Stands for the tables until the page is written: a translator is not asked for what a run wrote."""


class Suites(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        files = sorted(Path(self.config.suites_found).glob("*.json"))
        for file in files:
            self.env.note_dependency(str(file))
        if not files:
            raise self.error("no record of another library's tests; 'python -m benchmarks.suites --record' writes them")
        return [suites(records=[json.loads(file.read_text(encoding="utf-8")) for file in files])]


class ShowSuites(SphinxPostTransform):
    """Two tables, in the language of the site: how many, and why some failed."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        head = [_("谁的测试"), _("哪天"), _("收集"), _("通过"), _("失败"), _("跳过")]
        for node in list(self.document.findall(suites)):
            records = node["records"]
            why = table([_("失败的原因"), *(record["library"] for record in records)], reasons(records), ["benchmark"])
            node.replace_self(
                [table(head, map(counts, records), ["benchmark"]), nodes.rubric("", _("失败在哪里")), why]
            )


def counts(record: Mapping[str, Any]) -> Iterator[str]:
    stopped = _("，停在 {file}").format(file=record["stopped_in"]) if record["stopped_in"] else ""
    yield f"{record['library']} {record['version']} ({record['source']}{stopped})"
    yield record["date"]
    yield from (f"{record[name]:,}" for name in ("collected", "passed", "failed", "skipped"))


def reasons(records: Sequence[Mapping[str, Any]]) -> Iterator[list[str]]:
    """A row for each kind of failure that occurs."""
    meanings = {
        "refused": _("虚拟 NPU 拒绝，并说出名字"),
        "any device": _("库或测试对 CPU 之外的设备就是这样，与昇腾无关"),
        "private format": _("要昇腾的私有格式"),
        "float64": _("要 float64，torch_npu 换成了 float32"),
        "sparse": _("要稀疏张量的算子"),
        "no hub": _("要模型仓库里的模型或数据"),
        "no package": _("要这里没有装的包"),
        "other host": _("要源码归档里没有的文件"),
        "died": _("进程中止"),
        "too long": _("超过一个测试的时限"),
        "other": _("其他，逐条写在记录里"),
    }
    for kind, meaning in meanings.items():
        found = [record["kinds"].get(kind, 0) for record in records]
        if any(found):
            yield [meaning, *map(str, found)]


def connect(app: Sphinx) -> None:
    app.add_config_value("suites_found", "benchmarks/found", "env", str)
    app.add_node(suites)
    app.add_directive("suites", Suites)
    app.add_post_transform(ShowSuites)
