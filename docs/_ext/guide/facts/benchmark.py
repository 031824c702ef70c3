"""``.. benchmark::`` shows what the last ``make bench`` measured: when and on what, the goals, and every row.

It reads the file that ``benchmark_results`` names, as the run wrote it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
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

COLON = re.compile(": |：")
NO_BREAK = "\N{NO-BREAK SPACE}"


class benchmark(nodes.General, nodes.Element):
    """Stands for the tables until the page is written: a translator is not asked for what a run wrote."""


class Benchmark(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        path = Path(self.config.benchmark_results)
        self.env.note_dependency(str(path))
        try:
            return [benchmark(results=json.loads(path.read_text(encoding="utf-8")))]
        except (OSError, ValueError) as error:
            raise self.error(f"no results of a benchmark to show ({error}); 'make bench' writes them") from error


class ShowBenchmark(SphinxPostTransform):
    """A paragraph and two tables, in the language of the site."""

    default_priority = 2

    def run(self, **kwargs: Any) -> None:
        language = "zh" if self.config.language.startswith("zh") else "en"
        for node in list(self.document.findall(benchmark)):
            results = node["results"]
            titles = {row["name"]: row[language] for row in results["rows"]}
            goals = list(goal_rows(results, titles))
            head = [_("比什么"), _("测得"), _("目标"), _("结果")]
            rows = [[titles[row["name"]], *value_cells(row)] for row in results["rows"]]
            node.replace_self(
                [
                    nodes.paragraph("", facts(results)),
                    table(head, goals, classes=["benchmark"]),
                    nodes.rubric("", _("全部数字")),
                    table([_("测了什么"), _("中位数"), _("范围"), _("次数")], rows, classes=["benchmark"]),
                ]
            )


def facts(results: Mapping[str, Any]) -> str:
    """When, for how long, on what kind of machine, with which versions."""
    machine = results["machine"]
    when = results["started"].replace("T", " ")[:16]
    parts = [
        _("%(when)s UTC 测量，用时 %(minutes).0f 分钟") % {"when": when, "minutes": results["seconds"] / 60},
        machine["system"],
        machine["processor"],
        _("%d 核") % machine["cores"],
        f"{machine['memory_bytes'] / (1 << 30):.0f} GiB",
        _("开始时的系统负载 %.1f") % machine["load_before"],
        *(f"{name} {number.partition('+')[0]}" for name, number in results["versions"].items()),
    ]
    return " · ".join(part for part in parts if part)


def goal_rows(results: Mapping[str, Any], titles: Mapping[str, str]) -> Iterator[list[str]]:
    """Those with a bound first met or missed, and then the ratios that are only told."""
    verdicts = {"met": _("达到"), "missed": _("没有达到"), "not measured": _("没有测到"), "": ""}
    goals = [(row, goal) for row in results["rows"] for goal in row["goals"]]
    for row, goal in sorted(goals, key=lambda pair: pair[1]["at_most"] is None):
        unit = "" if goal["than"] else row["unit"]
        measured, bound = goal["measured"], goal["at_most"]
        yield [
            compared(titles[row["name"]], titles.get(goal["than"], "")),
            "–" if measured is None else with_unit(f"{measured:.3g}", unit),
            "–" if bound is None else with_unit(f"≤{NO_BREAK}{bound:g}", unit),
            verdicts[goal["verdict"]],
        ]


def compared(title: str, other: str) -> str:
    """What is divided by what; both say first what was measured.

    >>> compared("cold build: this guide", "cold build: MyST-NB")
    'cold build: this guide ÷ MyST-NB'
    """
    return f"{title} ÷ {COLON.split(other)[-1]}" if other else title


def with_unit(number: str, unit: str) -> str:
    return f"{number}{NO_BREAK}{unit}" if unit else number


def value_cells(row: Mapping[str, Any]) -> list[str]:
    """Median, range and number of runs."""
    least, most = min(row["values"]), max(row["values"])
    spread = f"{_number(least)}{NO_BREAK}–{NO_BREAK}{_number(most)}" if len(row["values"]) > 1 else ""
    return [with_unit(_number(row["value"]), row["unit"]), spread, str(len(row["values"]))]


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def connect(app: Sphinx) -> None:
    app.add_config_value("benchmark_results", "benchmarks/results.json", "env", str)
    app.add_node(benchmark)
    app.add_directive("benchmark", Benchmark)
    app.add_post_transform(ShowBenchmark)
