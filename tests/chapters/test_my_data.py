"""A file of questions is read in any common form, bad lines are named, and what was taught is answered, served too;
the file runs alone, goes on the next day where it stopped, and fits a card with an 8B and with a Qwen."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.place.surroundings import Surroundings
from engine.values.example import read
from engine.values.record import Outcome
from engine.values.rehearsal import MODEL, discover
from engine.values.run import Run

Printed = Callable[[str, str], str]
ROOT = Path(__file__).parents[2]
EXAMPLE = read(ROOT / "examples/my_data.py")
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


def test_what_a_limit_cuts_off_is_told_by_line(checked: Any, capsys: pytest.CaptureFixture[str]) -> None:
    questions = [FORMS["alpaca"](question) for question in QUESTIONS]
    checked("d.jsonl", as_lines([*questions, {"instruction": "long", "output": "word " * 100}]))
    lengths = next(cell.source for cell in EXAMPLE.cells if cell.name == "lengths")
    cells = [cell.source for cell in EXAMPLE.cells[:3]]
    exec("\n".join([*cells[:1], "data_file = 'd.jsonl'", *cells[1:], lengths.replace("= 1024", "= 80")]), {})
    said = capsys.readouterr().out
    assert "longer than 80: 1 rows" in said and re.search(r"^line 13: the last \d+ are cut off", said, re.M), said


def scores(text: str) -> tuple[int, int, float]:
    right, total = map(int, re.search(r"^right: (\d+) of (\d+)", text, re.M).groups())  # type: ignore[union-attr]
    return right, total, float(re.search(r"held-out rows: ([\d.]+)", text)[1])  # type: ignore[index]


def test_questions_in_words_it_was_not_trained_on_are_answered(printed: Printed) -> None:
    before, total, loss_before = scores(printed("my_data.py", "before"))
    after, _total, loss_after = scores(printed("my_data.py", "after"))
    assert before <= 0.1 * total and after >= 0.65 * total
    assert loss_after < loss_before / 3


def test_the_server_answers_as_the_model_did_after_training(run_of: Callable[[str], Run], printed: Printed) -> None:
    serve = next(cell for cell in run_of("my_data.py").record.cells if cell.name == "serve")
    if serve.outcome is Outcome.SKIPPED:
        pytest.skip(f"nothing is served here: {serve.need} is not installed")
    question, _, answer = printed("my_data.py", "serve").strip().rpartition(" -> ")
    assert f"right | {question} -> {answer!r}" in printed("my_data.py", "after")


def test_it_runs_alone_and_goes_on_the_next_day(tmp_path: Path) -> None:
    """As a reader does it: two files in an empty folder; few steps, and few rows of the exam.

    The first day ends after training, as if it had been interrupted there.
    """
    for file in (EXAMPLE.path, DATA):
        shutil.copy(file, tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    small = {
        "batch_size=8": "batch_size=2",
        "logging_steps=6": "logging_steps=1",
        "min(20": "min(2",
        "8017": str(port),
    }
    # a company's proxy, which the small letters send around our hub and not around localhost
    proxied = os.environ | {"http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"}
    for steps in (1, 2):
        text = EXAMPLE.text
        for old, new in {**small, "8017": str(port), "num_train_epochs=2": f"max_steps={steps}"}.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        text = text.replace('save_strategy="epoch"', 'save_strategy="steps",\n    save_steps=1')
        text = text.partition("# %% after")[0] if steps == 1 else text
        (tmp_path / "my_data.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "my_data.py"]
        ran = subprocess.run(command, cwd=tmp_path, env=proxied, capture_output=True, text=True, timeout=600)
        assert ran.returncode == 0, ran.stderr[-2000:]
        assert len(re.findall(r"'loss':", ran.stdout)) == 1, "the second day does the second step only"
        assert "no answer" not in ran.stdout
    state = json.loads((tmp_path / "my_model/checkpoints/checkpoint-2/trainer_state.json").read_text(encoding="utf-8"))
    assert [entry["step"] for entry in state["log_history"] if "loss" in entry] == [1, 2]
    assert {path.name for path in tmp_path.iterdir()} == {"my_data.py", "my_data.jsonl", "my_model"}


@pytest.mark.skipif(Surroundings.here().rehearsal is None, reason="there is no virtual NPU to rehearse on")
@pytest.mark.parametrize("model", ["Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3-8B"])
def test_a_qwen_in_that_one_line_fits_a_card(tmp_path: Path, model: str) -> None:
    rehearsal = discover([EXAMPLE])["my_data.py"]  # as the 8B is: every row as long as is allowed
    shutil.copy(DATA, tmp_path)
    (tmp_path / "my_data.py").write_text(rehearsal.text.replace(MODEL, model), encoding="utf-8")
    command = [sys.executable, "-m", "standins", "--rehearse", "--report", tmp_path / "report.json"]
    ran = subprocess.run([*command, tmp_path / "my_data.py"], cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr[-2000:]
