"""What is told of another library's tests."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks import suites, told
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


def test_what_dies_or_hangs_is_one_failure_and_the_others_go_on(source: Path, tmp_path: Path) -> None:
    found = suites.run(source, ["tests"], tmp_path / "journal", seconds=15)
    assert {each.test.rpartition("::")[2]: each.reason for each in found.of(suites.FAILED)} == {
        "test_wrong": "ValueError: why",
        "test_dies": found.of(suites.FAILED)[1].reason,
        "test_hangs": "no end within 15 s",
        "tests/test_broken.py": "ModuleNotFoundError: No module named 'nowhere'",
    }
    assert [each.kind for each in found.of(suites.FAILED)] == ["other", "died", "too long", "no package"]
    assert found.of(suites.FAILED)[1].reason.startswith("its process died by SIGABRT")
    assert found.counted() == {"collected": 9, "passed": 3, "failed": 4, "skipped": 2}


def test_only_what_is_chosen_runs(source: Path, tmp_path: Path) -> None:
    found = suites.run(source, ["tests/test_all.py"], tmp_path / "journal", ["-k", "right"])
    assert found.counted() == {"collected": 1, "passed": 1, "failed": 0, "skipped": 0}


def test_a_run_that_was_stopped_goes_on_where_it_was(source: Path, tmp_path: Path) -> None:
    """By a signal, in the middle of a file: the test that ran then runs again, those before it do not."""
    ran = tmp_path / "ran"
    (source / "tests/test_all.py").unlink()
    (source / "tests/test_broken.py").write_text(
        f"""import os, time, pytest
@pytest.mark.parametrize("number", range(4))
def test_of(number):
    with open({str(ran)!r}, "a") as file: file.write(str(number))
    if number == 2 and os.path.getsize({str(ran)!r}) == 3: time.sleep(999)
"""
    )
    record = tmp_path / "record.json"
    command = [sys.executable, "-m", "benchmarks.suites", "peft", "tests", "--source", str(source)]
    command += ["--journal", str(tmp_path / "journal"), "--record", str(record)]
    stopped = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    while not ran.exists() or ran.read_text() != "012":
        time.sleep(0.1)
    stopped.send_signal(signal.SIGTERM)
    printed, _ = stopped.communicate(timeout=60)
    assert "collected 2, passed 2" in printed and "stopped in tests/test_broken.py" in printed
    assert json.loads(record.read_text())["stopped_in"] == "tests/test_broken.py"
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "collected 4, passed 4" in done.stdout and ran.read_text() == "01223", done.stdout + done.stderr
    assert json.loads(record.read_text())["stopped_in"] == ""
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert "collected 4, passed 4" in again.stdout and ran.read_text() == "01223"


def test_what_was_raised_in_a_process_that_a_test_starts_is_the_reason(source: Path, tmp_path: Path) -> None:
    (source / "tests/test_broken.py").write_text(
        """import subprocess, sys
def test_it():
    code = "try: 1 / 0\\nexcept Exception as error: raise ImportError('no torchdata') from error"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    raise RuntimeError(f"'python -c ...' failed with returncode {done.returncode}\\n\\n{done.stderr}")
"""
    )
    (failure,) = suites.run(source, ["tests/test_broken.py"], tmp_path / "journal").outcomes
    assert failure.reason == "ImportError: no torchdata" and failure.kind == "no package"
    assert told.RAISED.match("[rank1]: torch.cuda.OutOfMemoryError: NPU out of memory") and not told.RAISED.match(
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: "
    )


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
    assert isinstance(record["stopped_in"], str)
    assert record["failed"] == sum(failure["count"] for failure in record["failures"])
    assert record["failed"] == sum(record["kinds"].values())
    assert {failure["kind"] for failure in record["failures"]} <= {*suites.CLASSES, suites.OTHER}
    assert sum(record["left_out"].values()) == record["skipped"]
