"""What is told of another library's tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import suites

REPORT = """<testsuites><testsuite>
<testcase name="a"/><testcase name="b"/>
<testcase name="c"><failure message="RuntimeError: no such device&#10;more">where</failure></testcase>
<testcase name="d"><failure message="RuntimeError: no such device&#10;other">where</failure></testcase>
<testcase name="e"><skipped message="needs CUDA">where</skipped></testcase>
<testcase name="f"><error message="collection failure">f.py:1&#10;E   ImportError: no x</error></testcase>
</testsuite></testsuites>"""


def test_failures_are_counted_by_their_reasons(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")
    assert str(suites.summary(report)).splitlines() == [
        "collected 6, passed 2, failed 3, left out 1",
        "  failed    2  RuntimeError: no such device",
        "  failed    1  ImportError: no x",
        "  left out    1  needs CUDA",
    ]


def test_tests_run_where_they_lie_and_the_rest_is_said(tmp_path: Path) -> None:
    source = tmp_path / "library-1.0"
    (source / "tests").mkdir(parents=True)
    (source / "tests/test_it.py").write_text("def test_right(): pass\n\ndef test_wrong(): raise ValueError('why')\n")
    found = suites.run(source, [])
    assert (found.passed, found.failed) == (1, {"ValueError: why": 1})
    assert suites.run(source, ["tests", "-k", "right"]).passed == 1


def test_a_library_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(suites.NoSuiteError, match="nowhere is not installed here: pip install nowhere"):
        suites.fetched("nowhere", tmp_path)
