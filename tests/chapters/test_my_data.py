"""A file of questions is read in any common form, bad lines are named, and what was taught is answered, served too."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.values.example import read
from engine.values.record import Outcome
from engine.values.run import Run

Printed = Callable[[str, str], str]
EXAMPLE = read(Path(__file__).parents[2] / "examples/my_data.py")
DATA = EXAMPLE.path.with_name("my_data.jsonl")
QUESTIONS = [f"第 {number} 个问题：what is it?" for number in range(12)]
CHAT = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "答案"}]
FORMS: dict[str, Callable[[str], dict[str, Any]]] = {
    "alpaca": lambda q: {"instruction": q, "input": "", "output": "答案"},
    "alpaca without input": lambda q: {"instruction": q, "output": "答案"},
    "prompt and completion": lambda q: {"prompt": q, "completion": "答案"},
    "messages": lambda q: {"messages": [{"role": "user", "content": q}, CHAT[1]]},
}
MORE_FORMS: dict[str, Callable[[str], dict[str, Any]]] = {
    "lists of messages": lambda q: {"prompt": [{"role": "user", "content": q}], "completion": [CHAT[1]]},
    "sharegpt": lambda q: {"conversations": [{"from": "human", "value": q}, {"from": "gpt", "value": "答案"}]},
}


@pytest.fixture
def checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """What the example makes of a file, and what it says of it: the cells up to ``check``, in an empty folder."""

    def run(name: str, content: bytes) -> tuple[list[dict[str, Any]], str]:
        (tmp_path / name).write_bytes(content)
        monkeypatch.chdir(tmp_path)
        settings, *cells = [cell.source for cell in EXAMPLE.cells[:3]]
        space: dict[str, Any] = {}
        exec("\n".join([settings, f"data_file = {name!r}", *cells]), space)
        return space["rows"], capsys.readouterr().out

    return run


def as_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


@pytest.mark.parametrize("form", FORMS | MORE_FORMS)
def test_a_form_is_read(checked: Any, form: str) -> None:
    source = [(FORMS | MORE_FORMS)[form](question) for question in QUESTIONS]
    for name, content in (("d.jsonl", as_lines(source)), ("d.json", json.dumps(source).encode())):
        rows, _said = checked(name, content)
        assert [row["prompt"] for row in rows] == [[{"role": "user", "content": q}] for q in QUESTIONS]
        assert all(row["completion"] == [{"role": "assistant", "content": "答案"}] for row in rows)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])  # the second is Excel's
def test_a_csv_is_read(checked: Any, tmp_path: Path, form: str, encoding: str) -> None:
    source = [FORMS[form](question) for question in QUESTIONS]
    with (tmp_path / "made.csv").open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, source[0])
        writer.writeheader()
        for row in source:
            writer.writerow({key: v if isinstance(v, str) else json.dumps(v) for key, v in row.items()})
    rows, _said = checked("d.csv", (tmp_path / "made.csv").read_bytes())
    assert [row["prompt"][0]["content"] for row in rows] == QUESTIONS
    assert rows[0]["line"] == 2  # the first is the heads of the columns


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"instruction": "cut off', "not JSON"),
        ('{"question": "other", "reply": "names"}', "'instruction'"),
        ('{"instruction": "no answer", "output": "  "}', "empty"),
        ('{"instruction": "null", "output": null}', "empty"),
        ('{"instruction": "a number", "output": 4}', "forms"),
        ('{"messages": []}', "forms"),
        ('["a list"]', "forms"),
        ("7", "forms"),
        (json.dumps(FORMS["alpaca"](QUESTIONS[3])), "same as line 4"),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_the_others_are_used(checked: Any, line: str, said: str) -> None:
    good = as_lines([FORMS["alpaca"](question) for question in QUESTIONS])
    rows, output = checked("d.jsonl", good + b"\n" + line.encode() + b"\n")
    assert len(rows) == len(QUESTIONS)
    assert re.search(rf"line 14: .*{re.escape(said)}", output), output


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("d.csv", "instruction,output\n青鹭,好\n".encode("gb18030"), "UTF-8"),
        ("d.jsonl", b"", "too few rows"),
        ("d.json", b'{"instruction": ', "d.json"),
        ("d.jsonl", as_lines([{"question": "?"}] * 20), "too few rows"),
    ],
)
def test_a_file_that_can_not_be_used_ends_with_a_sentence(checked: Any, name: str, content: bytes, said: str) -> None:
    with pytest.raises(SystemExit, match=said):
        checked(name, content)


def test_the_bad_lines_of_our_own_file_are_named(printed: Printed) -> None:
    lines, asked, bad = DATA.read_text(encoding="utf-8").splitlines(), set(), set()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            good = row["output"] and row["instruction"] not in asked
            asked.add(row["instruction"])
        except (ValueError, KeyError):
            good = False
        bad |= set() if good else {str(number)}
    said = printed("my_data.py", "check")
    assert set(re.findall(r"^ *line (\d+): ", said, re.M)) == bad and len(bad) == 4
    assert f"{len(lines) - 4} rows can be used" in said


def scores(text: str) -> tuple[int, int, float]:
    right, total = map(int, re.search(r"wanted: (\d+) of (\d+)", text).groups())  # type: ignore[union-attr]
    return right, total, float(re.search(r"held-out rows: ([\d.]+)", text)[1])  # type: ignore[index]


def test_held_out_questions_are_answered_better_than_before(printed: Printed) -> None:
    before, _total, loss_before = scores(printed("my_data.py", "before"))
    after, _total, loss_after = scores(printed("my_data.py", "after"))
    assert before == 0 and after > 0
    assert loss_after < loss_before / 3


def test_the_server_answers_as_the_model_did_after_training(run_of: Callable[[str], Run], printed: Printed) -> None:
    serve = next(cell for cell in run_of("my_data.py").record.cells if cell.name == "serve")
    if serve.outcome is Outcome.SKIPPED:
        pytest.skip(f"nothing is served here: {serve.need} is not installed")
    question, _, answer = printed("my_data.py", "serve").strip().rpartition(" -> ")
    assert f"{question} -> {answer!r}" in printed("my_data.py", "after")
