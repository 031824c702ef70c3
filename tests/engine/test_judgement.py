"""What a run printed is looked at before it is shown: secrets, numbers that are none, numbers that drifted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cache import Cache
from engine.session import Session, failure_message
from engine.values import secrets
from engine.values.example import Example, ExampleError, read
from engine.values.golden import Golden
from engine.values.run import Run

Write = Callable[..., Path]

# Put together here, so that no file of this repository holds what looks like one.
SECRETS = {
    "Hugging Face token": "hf" + "_" + "a1B2" * 8,
    "ModelScope token": "ms-" + "-".join(("12345678", "1234", "1234", "1234", "123456789abc")),
    "signed URL": "https://example.org/*?Policy=" + "eyJ" * 8 + "&Signature=" + "x" * 30,
    "bearer header": "Authorization: " + "Bearer " + "z" * 24,
    "Private Key": "-----BEGIN " + "RSA PRIVATE KEY-----",
    "path below a home folder": "/home/" + "someone/models",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_printed_secret_fails_the_cell_and_is_never_repeated(kind: str, project: Write, tmp_path: Path) -> None:
    print_it = f"print('first')\nprint(''.join({list(SECRETS[kind])}))\n"
    run = judged_run(example_of(project, print_it), tmp_path)
    failure = run.record.failure
    assert failure and f"looks like a secret ({kind})" in failure.error
    assert SECRETS[kind] not in json.dumps([run.notebook, run.record.to_json()]) + failure_message(run, Path("x.py"))
    assert not list((tmp_path / "cache").glob("*.json"))


def test_a_secret_in_a_traceback_is_withheld_too(project: Write, tmp_path: Path) -> None:
    secret = SECRETS["Hugging Face token"]
    raise_it = f"raise ValueError({secret[:3]!r} + {secret[3:]!r})\n"
    run = judged_run(example_of(project, raise_it), tmp_path)
    assert secret not in json.dumps([run.notebook, run.record.to_json()]) + failure_message(run, Path("x.py"))


def test_a_secret_in_a_source_stops_before_anything_runs(project: Write) -> None:
    with pytest.raises(ExampleError, match=r"x\.py:4: this looks like a secret \(Hugging Face token\)") as caught:
        example_of(project, f"token = '{SECRETS['Hugging Face token']}'\n")
    assert SECRETS["Hugging Face token"] not in str(caught.value)


def test_a_site_is_searched(tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(f"<p>\n{SECRETS['bearer header']}</p>", encoding="utf-8")
    ((path, finding),) = secrets.search(tmp_path)
    assert (path.name, finding.line, finding.kind) == ("page.html", 2, "bearer header")


@pytest.mark.parametrize("text", ["loss: nan", "{'loss': nan}", "inf", "-inf"])
def test_a_number_that_is_none_fails(text: str, project: Write, tmp_path: Path) -> None:
    failure = judged_run(example_of(project, f"print({text!r})\n"), tmp_path).record.failure
    assert failure and "it printed" in failure.error


def test_a_number_that_is_none_may_be_wanted(project: Write, tmp_path: Path) -> None:
    folder = project(x_py="# %% overflow tags=[\"nan-wanted\"]\nprint(float('nan'))\n")
    assert (
        Session(Cache(tmp_path / "cache"), tell=lambda line: None).run([read(folder / "x.py")])["x.py"].record.succeeded
    )


def test_words_are_no_numbers(project: Write, tmp_path: Path) -> None:
    run = Session(Cache(tmp_path / "cache"), tell=lambda line: None).run(
        [example_of(project, "print('nano info Nantes')\n")]
    )
    assert run["x.py"].record.succeeded


@pytest.fixture
def golden(tmp_path: Path) -> Golden:
    folder = tmp_path / "golden"
    folder.mkdir()
    fact = {"cell": "culprit", "name": "accuracy", "pattern": "accuracy ([0-9.]+)", "value": 0.5, "tolerance": 0.05}
    (folder / "x.py.json").write_text(json.dumps([fact]), encoding="utf-8")
    return Golden(folder)


def run_with(golden: Golden, example_source: str, project: Write, tmp_path: Path) -> Run:
    return judged_run(example_of(project, example_source), tmp_path, golden)


def test_a_number_near_the_recorded_one_passes(golden: Golden, project: Write, tmp_path: Path) -> None:
    assert run_with(golden, "print('accuracy 0.54')\n", project, tmp_path).record.succeeded


@pytest.mark.parametrize(
    ("printed", "error"),
    [
        ("accuracy 0.61", "accuracy is 0.61, recorded was 0.5 ± 0.05"),
        ("nothing", "accuracy: nothing printed matches"),
    ],
)
def test_drift_fails_and_shows_both(printed: str, error: str, golden: Golden, project: Write, tmp_path: Path) -> None:
    failure = run_with(golden, f"print({printed!r})\n", project, tmp_path).record.failure
    assert failure and failure.error.startswith(error)


def test_accepting_records_the_new_number(golden: Golden) -> None:
    assert golden.accept("x.py", {"culprit": "accuracy 0.61"}) == ["x.py: accuracy: 0.5 -> 0.61"]
    assert golden.facts("x.py")[0].value == 0.61
    assert golden.accept("x.py", {"culprit": "accuracy 0.61"}) == []


def test_a_fact_without_a_number_asks_for_one(golden: Golden) -> None:
    path = golden.folder / "x.py.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0.5,", "null,"), encoding="utf-8")
    assert "none is recorded yet: 'make accept' does" in golden.facts("x.py")[0].drift("accuracy 0.61")
    assert golden.accept("x.py", {"culprit": "accuracy 0.61"}) == ["x.py: accuracy: nothing -> 0.61"]
    assert golden.facts("x.py")[0].drift("accuracy 0.61") == ""


def test_a_kept_run_is_judged_again(golden: Golden, project: Write, tmp_path: Path) -> None:
    assert run_with(golden, "print('accuracy 0.5')\n", project, tmp_path).record.succeeded
    golden.accept("x.py", {"culprit": "accuracy 0.9"})
    assert not run_with(golden, "print('accuracy 0.5')\n", project, tmp_path).record.succeeded


def example_of(project: Write, source: str) -> Example:
    return read(project(x_py=f"# %% culprit\n{source}") / "x.py")


def judged_run(example: Example, tmp_path: Path, golden: Golden | None = None) -> Run:
    golden = golden or Golden(tmp_path / "nothing-recorded")
    return Session(Cache(tmp_path / "cache"), golden=golden, tell=lambda line: None).run([example])["x.py"]
