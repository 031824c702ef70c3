"""A set's record says how every cell ended, and its column of the matrix says it again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from docutils import nodes

from engine.place.surroundings import Surroundings
from engine.values.example import read
from engine.values.record import CellRecord, DeviceRecord, Outcome, Record
from engine.values.run import Run
from guide.facts import version_sets
from guide.facts.version_sets import Column
from sets import FOLDER, every_set
from sets.record import SetRecord, digest, read_all, write

# What this use came to when it was tried with the set for CANN 9.1: torch_npu has it from 2.13 on.
TOO_NEW = (
    'RuntimeError: device_allocator INTERNAL ASSERT FAILED at "/pytorch/c10/core/CachingDeviceAllocator.h":255, '
    "please report a bug to PyTorch. Allocator for npu is not a DeviceAllocator."
)


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "planted.py"
    path.write_text(
        '"""Planted"""\n\n# %% load\nimport torch\n\n# %% train\ntorch.accelerator.memory_allocated()\n\n'
        '# %% four needs=["npu>=4"]\n'
    )
    return path


@pytest.fixture
def record(example: Path) -> SetRecord:
    """Of a run in which a cell used what this set's torch does not have."""
    found = read(example)
    cells = (
        CellRecord("load", 4, Outcome.RAN),
        CellRecord("train", 7, Outcome.FAILED, error=TOO_NEW),
        CellRecord("four", 9, Outcome.SKIPPED, need="npu>=4"),
    )
    ran = Record("planted.py", "Planted", "key", "2026-11-25T00:00:00", 1.0, DeviceRecord("virtual-npu"), {}, (), cells)
    surroundings = Surroundings({}, {}, {"torch": "2.12.0"})
    return SetRecord.of(every_set()["cann-9.1"], [found], {found.name: Run(None, ran)}, surroundings)


def test_a_use_of_a_too_new_name_turns_the_column_red_and_names_the_cell(
    record: SetRecord, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(version_sets, "example_of", lambda name: read(example))
    column = Column(every_set()["cann-9.1"], record)
    assert column.failed == 1
    result = column.result()
    assert isinstance(result, nodes.inline) and result["classes"] == ["failed"] and result.astext() == "✗ 0/1"
    shown = version_sets._outcome("planted.py", column.outcomes["planted.py"])
    opened = next(node for node in shown.children if isinstance(node, version_sets.fold))
    assert opened["summary"] == "✗ train" and opened.astext() == TOO_NEW
    assert "npu>=4" in shown.astext()
    assert "例子此后改过" not in shown.astext()


def test_what_ran_and_has_not_changed_does_not_run_again(record: SetRecord, example: Path) -> None:
    chosen, here = every_set()["cann-9.1"], Surroundings({}, {}, {"torch": "2.12.0"})
    ran = replace(record.examples["planted.py"], cells=record.examples["planted.py"].cells[::2])
    done = replace(record, examples={"planted.py": ran})
    assert done.holding([read(example)], chosen, here) == {"planted.py": ran}
    added = replace(chosen, pins={**chosen.pins, "another": "1.0"})
    assert done.holding([read(example)], added, here)
    four_cards = Surroundings({}, {"device": {"kind": "virtual-npu", "count": 4}}, {"torch": "2.12.0"})
    newer = Surroundings({}, {}, {"torch": "2.12.1"})
    changed = replace(chosen, pins={**chosen.pins, "numpy": "1.26.4"})
    for runs_again in (
        record.holding([read(example)], chosen, here),  # it failed
        done.holding([read(example)], chosen, four_cards),  # what it did without is there now
        done.holding([read(example)], chosen, newer),
        done.holding([read(example)], changed, here),
        replace(done, machine="other").holding([read(example)], chosen, here),
    ):
        assert runs_again == {}
    example.write_text(example.read_text() + "print()\n")
    assert done.holding([read(example)], chosen, here) == {}


def test_a_record_holds_what_ran_then_and_what_did_now(record: SetRecord) -> None:
    before = replace(record.examples["planted.py"], recorded="2026-11-24 00:00")
    both = record.with_outcomes({"earlier.py": before, "planted.py": before})
    assert both.examples == {"earlier.py": before, "planted.py": record.examples["planted.py"]}
    assert both.recorded == "2026-11-24 00:00 – 2026-11-25 00:00"


def test_a_record_of_an_example_that_changed_says_so(
    record: SetRecord, example: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example.write_text(example.read_text() + "print()\n")
    monkeypatch.setattr(version_sets, "example_of", lambda name: read(example))
    outcome = record.examples["planted.py"]
    assert version_sets._changed("planted.py", outcome)
    assert "例子此后改过" in version_sets._outcome("planted.py", outcome).astext()


def test_a_record_of_other_pins_says_so(record: SetRecord) -> None:
    chosen = every_set()["cann-9.1"]
    assert not Column(chosen, record).stale
    assert Column(replace(chosen, pins={**chosen.pins, "torch": "2.12.1"}), record).stale


def test_a_record_is_the_same_when_read_again(record: SetRecord, tmp_path: Path) -> None:
    write(record, tmp_path / "records")
    assert read_all(tmp_path / "records") == {"cann-9.1": record}


def test_one_of_another_machine_has_a_file_of_its_own_and_a_row(
    record: SetRecord, example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = {"Python": "3.14.0", "torch_npu": "2.12.0.post2"}
    there = replace(record, machine="aarch64", where="bookworm, QEMU 7.2.22", versions=versions)
    write(there, tmp_path)
    write(replace(record, versions=versions), tmp_path)
    assert read_all(tmp_path)["cann-9.1-aarch64-python3.14"] == there
    assert read_all(tmp_path).keys() == {"cann-9.1", "cann-9.1-aarch64-python3.14"}

    (tmp_path / "cann-9.1.json").unlink()
    monkeypatch.setattr(version_sets, "ELSEWHERE", tmp_path)
    (column,) = version_sets.elsewhere()
    assert column.failed == 1 and column.record == there


def test_a_companion_belongs_to_what_ran(tmp_path: Path) -> None:
    first = tmp_path / "run.sh"
    first.write_text("# Run\n\n# %% run\npython other.py\n")
    (tmp_path / "other.py").write_text("print(1)\n")
    before = digest(read(first))
    (tmp_path / "other.py").write_text("print(2)\n")
    assert digest(read(first)) != before


def test_records_are_small_and_of_sets_there_are() -> None:
    assert sum(path.stat().st_size for path in (FOLDER / "records").glob("*.json")) < 2 << 20
    for name, record in read_all().items():
        assert name in every_set()
        assert all(
            cell.need
            for each in record.examples.values()
            if not each.failure
            for cell in each.cells
            if cell.outcome is Outcome.SKIPPED
        )


def test_every_week_every_set_runs() -> None:
    workflow = (FOLDER.parent / ".github/workflows/sets.yml").read_text(encoding="utf-8")
    assert f"set: [{', '.join(sorted(every_set()))}]" in workflow
