"""What is told of another library's tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import suites
from benchmarks.suites import Outcome, Summary

FOUND = sorted((Path(suites.__file__).parent / "found").glob("*.json"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Of a library: tests that are right, wrong, left out, end their process, hang."""
    folder = tmp_path / "library-1.0"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests/test_all.py").write_text(
        """import os, time, pytest
def test_right(): pass
def test_wrong(): raise ValueError("why")
@pytest.mark.skip("needs CUDA")
def test_left_out(): pass
@pytest.mark.xfail(reason="known")
def test_expected(): assert False
def test_dies(): os.abort()
def test_behind_it(): pass
def test_hangs(): time.sleep(999)
def test_last(): pass
"""
    )
    (folder / "tests/test_broken.py").write_text("import nowhere\n")
    return folder


def test_what_dies_or_hangs_is_one_failure_and_the_others_go_on(source: Path) -> None:
    found = suites.run(source, ["tests"], seconds=15)
    assert {each.test.rpartition("::")[2]: each.reason for each in found.of(suites.FAILED)} == {
        "test_wrong": "ValueError: why",
        "test_dies": found.of(suites.FAILED)[1].reason,
        "test_hangs": "no end within 15 s",
        "tests/test_broken.py": "ModuleNotFoundError: No module named 'nowhere'",
    }
    assert [each.kind for each in found.of(suites.FAILED)] == ["other", "died", "too long", "no package"]
    assert found.of(suites.FAILED)[1].reason.startswith("its process died by SIGABRT")
    assert found.counted() == {"collected": 9, "passed": 3, "failed": 4, "skipped": 2}


def test_only_what_is_chosen_runs(source: Path) -> None:
    found = suites.run(source, ["tests/test_all.py"], ["-k", "right"])
    assert found.counted() == {"collected": 1, "passed": 1, "failed": 0, "skipped": 0}


def test_failures_are_counted_by_their_reasons() -> None:
    told = [
        Outcome("a", "passed"),
        Outcome("b", "failed", "X"),
        Outcome("c", "failed", "X"),
        Outcome("d", "skipped", "Y"),
    ]
    assert str(Summary(told)).splitlines() == [
        "collected 4, passed 1, failed 2, left out 1",
        "  failed    2  X",
        "  left out    1  Y",
    ]


def test_a_library_that_is_not_installed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(suites.TESTS, "nowhere", "tests")
    with pytest.raises(suites.NoSuiteError, match="nowhere is not installed here: pip install nowhere"):
        suites.fetched("nowhere", tmp_path)


@pytest.mark.parametrize("file", FOUND, ids=lambda file: file.stem)
def test_a_record_adds_up(file: Path) -> None:
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["collected"] == record["passed"] + record["failed"] + record["skipped"]
    assert record["failed"] == sum(failure["count"] for failure in record["failures"])
    assert record["failed"] == sum(record["kinds"].values())
    assert {failure["kind"] for failure in record["failures"]} <= {*suites.CLASSES, suites.OTHER}
    assert sum(record["left_out"].values()) == record["skipped"]
