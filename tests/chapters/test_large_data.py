"""What is tokenized once is all there; what is streamed is shuffled, cut and trained on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Printed = Callable[[str, str], str]


def test_all_rows_are_tokenized_once(printed: Printed) -> None:
    whole = re.search(r"num_rows: (\d+)", printed("large_data.py", "once"))
    listed = re.search(r"train: Dataset\(\{.*?num_rows: (\d+)", printed("dataset.py", "load"), re.S)
    assert whole and listed and whole[1] == listed[1]


def test_a_stream_has_rows_of_different_lengths(printed: Printed) -> None:
    kind, _space, lengths = printed("large_data.py", "stream").partition(" ")
    rows = ast.literal_eval(lengths)
    assert kind == "IterableDataset" and len(rows) == 8 and len(set(rows)) > 1 and max(rows) <= 64


def test_it_is_trained_on_for_as_many_steps_as_were_asked_for(printed: Printed) -> None:
    said = re.fullmatch(r"4 steps, loss ([\d.]+) on (\S+)\n", printed("large_data.py", "train"))
    assert said and 1 < float(said[1]) < 3


def test_what_was_saved_gives_the_same_scores_when_loaded(printed: Printed) -> None:
    assert printed("large_data.py", "load") == "loaded again, the same scores: True\n"
