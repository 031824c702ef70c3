"""A kept run is shown again only when nothing that can change its output has changed, and never when damaged."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from engine.cache import Cache, digest_of, key_facts
from engine.place.surroundings import Surroundings
from engine.session import Session
from engine.values.example import Example, read
from engine.values.run import Run

Write = Callable[..., Path]

COUNTED = "# %% count\nprint('counted')\n"


@pytest.fixture
def kept(project: Write, tmp_path: Path) -> tuple[Example, Cache]:
    """An example with a run in the cache."""
    example = read(project(x_py=COUNTED) / "x.py")
    cache = Cache(tmp_path / "cache")
    Session(cache, tell=lambda line: None).run([example])
    return example, cache


def executes(example: Example, cache: Cache, surroundings: Surroundings | None = None) -> bool:
    """Whether a session executes it."""
    said: list[str] = []
    session = Session(cache, surroundings or Surroundings.here(), tell=said.append)
    assert session.run([example])[example.name].notebook.cells[1].outputs
    return bool(said)


def entry_of(cache: Cache) -> Path:
    (path,) = cache.folder.glob("*.json")
    return path


def whole(content: str) -> str:
    """As the cache writes it."""
    return f"{hashlib.sha256(content.encode()).hexdigest()}\n{content}"


def test_an_unchanged_example_is_not_executed(kept: tuple[Example, Cache]) -> None:
    assert not executes(*kept)


def test_an_edit_executes_it(kept: tuple[Example, Cache]) -> None:
    example, cache = kept
    example.path.write_text(example.text.replace("counted", "again"), encoding="utf-8")
    assert executes(read(example.path), cache)


def test_an_edit_while_it_waits_for_its_turn_is_not_taken_for_what_ran(project: Write, tmp_path: Path) -> None:
    example = read(project(x_py=COUNTED) / "x.py")
    example.path.write_text(example.text.replace("counted", "again"), encoding="utf-8")
    cache = Cache(tmp_path / "cache")
    assert executes(example, cache)
    assert executes(read(example.path), cache)


def test_what_lies_in_its_folder_is_the_text_that_runs(project: Write, tmp_path: Path) -> None:
    example = read(project(x_py="# %% look\nprint('edited' in open('x.py').read().partition('print')[0])\n") / "x.py")
    example.path.write_text("# edited\n" + example.text, encoding="utf-8")
    run = Session(Cache(tmp_path / "cache"), tell=lambda line: None).run([example])["x.py"]
    assert run.notebook.cells[1].outputs[0].text == "False\n"


def test_an_edited_neighbour_executes_it(project: Write, tmp_path: Path) -> None:
    folder = project(x_py="# %% use\nimport helper  # helper.py\nprint(helper.N)\n", helper_py="# %% n\nN = 1\n")
    cache = Cache(tmp_path / "cache")
    assert executes(read(folder / "x.py"), cache)
    assert not executes(read(folder / "x.py"), cache)
    (folder / "helper.py").write_text("N = 2\n", encoding="utf-8")
    assert executes(read(folder / "x.py"), cache)


@pytest.mark.parametrize(
    "change",
    [
        lambda here: replace(here, packages={**here.packages, "torch": "9.9"}),
        lambda here: replace(here, report={**here.report, "device": {"kind": "npu", "name": "Ascend910B3"}}),
        lambda here: replace(here, report={**here.report, "content": "other weights"}),
    ],
    ids=["package", "device", "stand-in"],
)
def test_a_change_of_surroundings_makes_another_key(
    change: Callable[[Surroundings], Surroundings], kept: tuple[Example, Cache]
) -> None:
    example, cache = kept
    here = Surroundings.here()
    assert cache.load(example, digest_of(key_facts(example, here)))
    assert not cache.load(example, digest_of(key_facts(example, change(here))))


@pytest.mark.parametrize("damage", ["truncated", "tampered", "empty", "of another key", "of another format"])
def test_a_damaged_entry_is_executed_again(damage: str, kept: tuple[Example, Cache]) -> None:
    example, cache = kept
    path = entry_of(cache)
    text = path.read_text(encoding="utf-8")
    damaged = {
        "truncated": text[: len(text) // 2],
        "tampered": text.replace("counted", "c0unted"),
        "empty": "",
        "of another key": text,
        "of another format": whole(text.partition("\n")[2].replace('"seed"', '"sown"')),
    }[damage]
    path.write_text(damaged, encoding="utf-8")
    if damage == "of another key":
        example.path.write_text(example.text + "\n", encoding="utf-8")
        example = read(example.path)
        path.rename(cache.folder / f"{example.name}-{digest_of(key_facts(example, Surroundings.here()))[:16]}.json")
    assert executes(example, cache)


def test_a_record_survives_the_round_trip(kept: tuple[Example, Cache]) -> None:
    example, cache = kept
    run = cache.load(example, digest_of(key_facts(example, Surroundings.here())))
    assert isinstance(run, Run)
    assert type(run.record).from_json(json.loads(json.dumps(run.record.to_json()))) == run.record


def test_explain_names_what_changed(kept: tuple[Example, Cache]) -> None:
    example, cache = kept
    here = Surroundings.here()
    assert "will not run again" in cache.explain(example, here)
    other = replace(here, packages={**here.packages, "torch": "9.9"})
    assert f"packages: torch: {here.packages['torch']} -> 9.9" in cache.explain(example, other)


def test_what_a_process_has_imported_makes_no_other_key(kept: tuple[Example, Cache]) -> None:
    """setuptools adds a folder of its own packages to sys.path when it is imported."""
    import setuptools  # noqa: F401

    assert not executes(*kept)


def test_whoever_goes_back_to_an_earlier_text_executes_nothing(kept: tuple[Example, Cache]) -> None:
    """Between two branches, or two sets of versions."""
    first, cache = kept
    first.path.write_text(first.text.replace("counted", "again"), encoding="utf-8")
    second = read(first.path)
    assert executes(second, cache)
    for example in (first, second):
        assert not executes(example, cache)


def test_old_runs_are_pruned_and_nothing_that_is_not_ours(kept: tuple[Example, Cache]) -> None:
    example, cache = kept
    text = entry_of(cache).read_text(encoding="utf-8")
    ours = [cache.folder / f"x.py-{number:016}.json" for number in range(20)]
    forgotten = cache.folder / f"gone.py-{0:016}.json"
    theirs = [cache.folder / name for name in ("x.py-notes.txt", "x.py-notes.json")]
    for number, path in enumerate([*theirs, *ours, forgotten]):
        path.write_text(text, encoding="utf-8")
        os.utime(path, (number, number))
    assert not executes(example, cache), "it was used just now"
    example.path.write_text(example.text.replace("counted", "again"), encoding="utf-8")
    assert executes(read(example.path), cache)
    assert not executes(example, cache), "what was used last is kept"
    assert all(path.exists() for path in theirs) and not forgotten.exists()
    assert len(list(cache.folder.glob("x.py*"))) == 2 + len(theirs)
