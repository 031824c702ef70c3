"""The model learns the domain, and the page's warnings are true."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Printed = Callable[[str, str], str]
IsPicture = Callable[[str, str], bool]


def perplexities(table: str) -> dict[str, float]:
    return {name: float(number) for name, number in re.findall(r"^(\w+, \w+): perplexity ([\d.]+)", table, re.M)}


def test_perplexity_of_the_domain_falls_far_and_of_the_rest_less(printed: Printed) -> None:
    found = perplexities(printed("pretraining.py", "perplexity"))
    assert found["manual, after"] < 0.7 * found["manual, before"]
    fallen = {name: found[f"{name}, after"] / found[f"{name}, before"] for name in ("manual", "reviews")}
    assert fallen["manual"] < fallen["reviews"] < 1


def test_the_next_token_is_right_more_often_in_the_domain_only(printed: Printed) -> None:
    table = printed("pretraining.py", "perplexity")
    before, after, other_before, other_after = map(float, re.findall(r"([\d.]+)%", table))
    assert after > before + 2 and other_after < other_before + 1


def test_the_saved_model_has_the_same_perplexity(printed: Printed) -> None:
    trained = perplexities(printed("pretraining.py", "perplexity"))
    assert perplexities(printed("pretraining.py", "load"))["manual, loaded"] == trained["manual, after"]


def test_it_writes_lines_as_narrow_as_the_manual(printed: Printed) -> None:
    _perplexity, text = printed("pretraining.py", "load").split("\n", 1)
    assert len(text.splitlines()) > 1 and max(map(len, text.splitlines())) < 80


def test_every_block_is_full_and_is_its_own_label(printed: Printed) -> None:
    assert "num_rows: 96" in printed("pretraining.py", "pack")
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
    assert pair and 0 <= float(pair[1]) - float(pair[2]) < 0.03 * float(pair[2])


def test_all_parameters_need_several_cards(printed: Printed) -> None:
    each = [float(gib) for gib in re.findall(r": +([\d.]+) GiB", printed("pretraining_memory.py", "llama_8b"))]
    assert len(each) == 4 and each[0] > 64 > each[2]
