"""A run as a table for the terminal, and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tabulate import tabulate

from benchmarks.rows import Goal, Results, Row

HEAD = ("measured", "median", "range", "runs", "against", "goal", "verdict")
COLOURS = {"this guide": "#c8102e"}
OTHERS = "#8a8f98"
PANELS = {
    "cold": "cold build, s",
    "unchanged": "unchanged build, s",
    "example": "one example edited, s",
    "memory": "peak memory, MiB",
}


def table(results: Results) -> str:
    """One line for each row, and one more for each further goal of it."""
    lines: list[tuple[str, ...]] = []
    for row in results.rows:
        facts = (row.en, f"{number(row.value)} {row.unit}".strip(), spread(row), str(len(row.values)))
        goals = [goal_cells(results, *each) for each in results.goals_of(row)] or [("", "", "")]
        lines += [(*facts, *goals[0]), *(("", "", "", "", *goal) for goal in goals[1:])]
    return str(tabulate(lines, headers=HEAD, disable_numparse=True))


def goal_cells(results: Results, goal: Goal, measured: float | None, verdict: str) -> tuple[str, str, str]:
    base = results.by_name.get(goal.than)
    against = f"{measured:.2f} × {base.en.rpartition(': ')[2]}" if base and measured is not None else ""
    return against, "" if goal.at_most is None else f"≤ {goal.at_most:g}{' ×' if goal.than else ''}", verdict


def spread(row: Row) -> str:
    return f"{number(min(row.values))} – {number(max(row.values))}" if len(row.values) > 1 else ""


def number(value: float) -> str:
    """Three significant digits, or all before the point."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def picture(results: Results, path: Path) -> None:
    """Bars for the contestants, in names and units that need no translation."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "guide", "font.family": "sans-serif"})
    panels = {title: rows for key, title in PANELS.items() if (rows := contestants_of(results, key))}
    figure = Figure(figsize=(9, 0.6 + 0.32 * sum(len(rows) + 1.6 for rows in panels.values())), layout="constrained")
    heights = [len(rows) for rows in panels.values()]
    all_axes = figure.subplots(len(panels), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, (title, rows) in zip(all_axes, panels.items(), strict=True):
        bars(axes, title, rows)
    figure.savefig(path, format="svg", metadata={"Date": None})


def contestants_of(results: Results, key: str) -> list[Row]:
    return [row for row in results.rows if row.name.startswith(f"{key}/") and row.name.count("/") == 1 and row.unit]


def bars(axes: Axes, title: str, rows: Sequence[Row]) -> None:
    names = [row.en.rpartition(": ")[2] for row in rows]
    drawn = axes.barh(names, [row.value for row in rows], color=[COLOURS.get(name, OTHERS) for name in names])
    axes.bar_label(drawn, [number(row.value) for row in rows], padding=3)
    axes.invert_yaxis()
    axes.set_title(title, loc="left", fontsize="medium")
    axes.spines[["top", "right"]].set_visible(False)
