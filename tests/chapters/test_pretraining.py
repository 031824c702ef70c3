"""The model learns the domain, and the page's warnings are true."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Printed = Callable[[str, str], str]
IsPicture = Callable[[str, str], bool]


def perplexities(table: str) -> dict[str, int]:
    return {name: int(number) for name, number in re.findall(r"^(\w+, \w+): perplexity (\d+),", table, re.M)}


def test_perplexity_of_the_domain_falls_and_of_the_rest_rises(printed: Printed) -> None:
    found = perplexities(printed("pretraining.py", "perplexity"))
    assert found["manual, after"] < found["manual, before"] / 5
    assert found["reviews, after"] > found["reviews, before"]


def test_the_next_token_is_right_more_often(printed: Printed) -> None:
    before, after, *_ = re.findall(r"([\d.]+)%", printed("pretraining.py", "perplexity"))
    assert float(after) > float(before)


def test_every_block_is_full_and_is_its_own_label(printed: Printed) -> None:
    assert "num_rows: 256" in printed("pretraining.py", "pack")
    assert "'labels'" in printed("pretraining.py", "pack")


def test_the_usual_collator_loses_the_end_token(printed: Printed) -> None:
    before, after = (
        ast.literal_eval(line.split(": ")[1]) for line in printed("pretraining_collator.py", "collator").splitlines()
    )
    assert before[-1] == 128009 and after[-1] == -100 and after[:-1] == before[:-1]


def test_the_curve_is_a_picture(is_picture: IsPicture) -> None:
    assert is_picture("pretraining.py", "curve")


def test_sixteen_bytes_for_each_parameter(printed: Printed) -> None:
    pair = re.search(r"measured ([\d.]+) MiB, computed ([\d.]+) MiB", printed("pretraining_memory.py", "check"))
    assert pair and abs(float(pair[1]) - float(pair[2])) < 0.01 * float(pair[2])


def test_all_parameters_need_several_cards(printed: Printed) -> None:
    each = [float(gib) for gib in re.findall(r": +([\d.]+) GiB", printed("pretraining_memory.py", "llama_8b"))]
    assert len(each) == 4 and each[0] > 64 > each[2]
