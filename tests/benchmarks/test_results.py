"""``make bench`` on one example: all rows that need no peer, a table, JSON and a picture.  No time is asserted."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import paired, report
from benchmarks.rows import GOALS, MET, MISSED, NOT_MEASURED, Goal, Results, Row
from benchmarks.run import PART_ROWS, predicted


def made_up(**values: float) -> Results:
    """Rows of these names and values."""
    rows = tuple(Row(name, f"中 {name}", f"en: {name}", (value,), "s") for name, value in values.items())
    return Results("2026-01-01T00:00:00+00:00", 1, {}, {}, rows)


def test_every_row_that_needs_no_peer_is_measured(results: Results) -> None:
    browser = {"site/page", "site/heaviest", "site/search"}  # need a Chromium
    device = {name for name in PART_ROWS if name.startswith(("step/", "rehearsal/", "sets/"))}  # need a virtual NPU
    expected = {"cold/guide", "unchanged/guide", "unchanged/sphinx", "memory/guide", "growth/deviation", *PART_ROWS}
    assert expected - browser - device <= results.by_name.keys()
    assert all(row.values and row.zh and row.en for row in results.rows)


def test_what_is_counted(results: Results) -> None:
    rows = results.by_name
    assert rows["unchanged/torch"].value == 0
    assert rows["prose/guide/executions"].value == 0
    assert rows["example/guide/executions"].value == 1


def test_a_goal_whose_peer_is_missing_is_not_called_met(results: Results) -> None:
    verdicts = {goal: verdict for goal, _, verdict in results.goals_of(results.by_name["cold/guide"])}
    assert verdicts[Goal("cold/guide", 0.85, "cold/gallery")] == NOT_MEASURED
    assert NOT_MEASURED in report.table(results)


def test_json_and_picture_hold_what_the_table_prints(results: Results, tmp_path: Path) -> None:
    results.write(tmp_path / "results.json")
    report.picture(results, tmp_path / "results.svg")
    table, written = report.table(results), json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert [row["name"] for row in written["rows"]] == [row.name for row in results.rows]
    assert written["machine"]["cores"] and written["versions"]["sphinx"]
    for row in results.rows:
        assert row.en in table
    drawn = "".join(ElementTree.parse(tmp_path / "results.svg").getroot().itertext())
    assert "this guide" in drawn
    assert report.number(results.by_name["cold/guide"].value) in drawn


@pytest.mark.parametrize(
    ("ours", "verdict"),
    [(1.0, MET), (2.0, MET), (2.001, MISSED), (90.0, MISSED)],
    ids=["below", "equal", "just above", "far above"],
)
def test_a_goal_is_met_up_to_its_bound_and_missed_above(ours: float, verdict: str) -> None:
    results = made_up(ours=ours, theirs=4.0)
    [(_, measured, told)] = results.goals_of(results.by_name["ours"], [Goal("ours", 0.5, "theirs")])
    assert (measured, told) == (ours / 4, verdict)
    [(_, measured, told)] = results.goals_of(results.by_name["ours"], [Goal("ours", 2.0)])
    assert (measured, told) == (ours, verdict)


def test_the_median_decides() -> None:
    row = Row("x", "x", "x", (1.0, 100.0, 2.0), "s")
    assert row.value == 2.0
    assert Goal("x", 2.0).verdict({"x": row}) == MET


def test_growth_is_predicted_from_what_each_example_adds() -> None:
    assert predicted((8, 32, 128), [10.0, 16.0]) == 40.0


def test_goals_name_rows_that_are_measured() -> None:
    """Of the contestants, or of the parts; a goal that names no row could never be missed."""
    steps = {"cold", "unchanged", "prose", "example", "memory", "growth", "manifest", "judgement", "shards", "paired"}
    for goal in GOALS:
        for name in filter(None, (goal.row, goal.than)):
            assert name in PART_ROWS or name.partition("/")[0] in steps, name


REPORT = """	Command being timed: "make html"
	Elapsed (wall clock) time (h:mm:ss or m:ss): {}
	Exit status: {}
"""


@pytest.mark.parametrize(("elapsed", "took"), [("4:22.84", 262.84), ("1:02:03", 3723)])
def test_a_build_of_two_commits_is_noted_as_time_reports_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, elapsed: str, took: float
) -> None:
    monkeypatch.setattr(paired, "NOTED", tmp_path / "paired.json")
    before, now = tmp_path / "before", tmp_path / "now"
    before.write_text(REPORT.format("0:10.00", 0), encoding="utf-8")
    now.write_text(REPORT.format(elapsed, 0), encoding="utf-8")
    paired.note("site", "7fda252", str(before), "1a2b3c4", str(now))
    rows = {row.name: row for row in paired.rows()}
    assert rows["paired/site/now"].value == took and rows["paired/site/now"].en == "the whole site, cold: 1a2b3c4"
    [(_, ratio, verdict)] = made_up(**{name: row.value for name, row in rows.items()}).goals_of(rows["paired/site/now"])
    assert (ratio, verdict) == (took / 10, MISSED)


def test_a_build_that_failed_is_not_noted() -> None:
    with pytest.raises(ValueError, match="a command that succeeded"):
        paired.seconds(REPORT.format("4:22.84", 2))
