"""The data set that the later chapters build on."""

from __future__ import annotations

import ast
from collections.abc import Callable

from engine.values.run import Run

Printed = Callable[[str, str], str]


def test_a_row_is_printed_whole(printed: Printed) -> None:
    row = ast.literal_eval(printed("dataset.py", "row"))
    assert set(row) == {"label", "text"} and row["label"] in range(5) and row["text"]


def test_labels_are_the_five_stars(printed: Printed) -> None:
    assert "'1 star', '2 star', '3 stars', '4 stars', '5 stars'" in printed("dataset.py", "features")


def test_the_balance_is_a_picture(runs: dict[str, Run]) -> None:
    cell = next(cell for cell in runs["dataset.py"].notebook.cells if cell.metadata.get("title") == "balance")
    assert any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_the_progress_of_map_is_one_line_for_each_split(runs: dict[str, Run]) -> None:
    cell = next(cell for cell in runs["dataset.py"].notebook.cells if cell.metadata.get("title") == "tokenize")
    bars = [line for output in cell.outputs if output.get("name") == "stderr" for line in output.text.splitlines()]
    assert [line[:9] for line in bars] == ["Map: 100%", "Map: 100%"]


def test_the_small_sets_exist(printed: Printed) -> None:
    assert printed("dataset.py", "small") == "1000 1000\n"
