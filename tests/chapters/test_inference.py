"""Generation does what the page says of it, and the evaluated classifier is better than guessing."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable

Printed = Callable[[str, str], str]
IsPicture = Callable[[str, str], bool]


def test_bfloat16_takes_half(printed: Printed) -> None:
    full, half = (int(mib) for mib in re.findall(r": (\d+) MiB", printed("inference.py", "load")))
    assert abs(full - 2 * half) <= 1


def test_generation_ends_with_the_end_token(printed: Printed) -> None:
    assert printed("inference.py", "generate").endswith("the last one: <|im_end|>\n")


def test_the_seed_decides_what_is_sampled(printed: Printed) -> None:
    first, again, other = (line.partition(" ")[2] for line in printed("inference.py", "sample").splitlines())
    assert first == again != other


def test_the_stream_is_the_same_answer(printed: Printed) -> None:
    assert printed("inference.py", "stream").strip() == printed("inference.py", "generate").splitlines()[0].strip()


def test_padding_on_the_left_answers_and_on_the_right_spoils(printed: Printed) -> None:
    left, right = (ast.literal_eval(line.partition(" ")[2]) for line in printed("inference.py", "batch").splitlines())
    assert all(word in answer for word, answer in zip(("Paris", "4", "cold"), left, strict=True))
    assert any(word not in answer for word, answer in zip(("Paris", "4", "cold"), right, strict=True))


def test_the_pipeline_answers_as_generate_does(printed: Printed) -> None:
    left = ast.literal_eval(printed("inference.py", "batch").splitlines()[0].partition(" ")[2])
    *replies, _device = printed("inference.py", "pipeline").splitlines()
    assert [ast.literal_eval(reply)["content"] for reply in replies] == left


def test_the_cache_is_as_large_as_computed(printed: Printed) -> None:
    sizes = re.search(r"(\d+) bytes measured, (\d+) computed", printed("inference.py", "cache"))
    assert sizes and sizes[1] == sizes[2]


def test_accuracy_is_clearly_better_than_the_commonest_star(printed: Printed) -> None:
    scores = printed("evaluation.py", "scores")
    accuracy = float(scores.splitlines()[0].removeprefix("accuracy: "))
    support = [int(line.split()[-1]) for line in scores.splitlines() if re.match(r" *\d stars? ", line)]
    assert len(support) == 5 and accuracy > max(support) / sum(support) + 0.1


def test_most_mistakes_are_one_star_off(printed: Printed) -> None:
    right, near = map(float, re.findall(r"[\d.]+", printed("evaluation.py", "near").replace("one", "")))
    assert near > right + 0.15


def test_the_confusion_matrix_is_a_picture(is_picture: IsPicture) -> None:
    assert is_picture("evaluation.py", "confusion")
