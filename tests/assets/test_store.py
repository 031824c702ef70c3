"""Assets are made whole or not at all, once, and with a sentence when they can not be made."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from standins.assets import PreparationError, store
from standins.assets.manifest import FILES
from standins.assets.packages import Package, fetch
from standins.assets.recipes import Bench, Recipe

Build = Callable[[Bench], None]


@dataclass(frozen=True)
class Stub(Recipe):
    """A recipe of a test."""

    does: Build | None = None

    def build(self, bench: Bench) -> None:
        assert self.does
        self.does(bench)

    def fingerprint(self) -> str:
        return "stub"


@pytest.fixture
def recipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[Build], None]:
    """Let the store know one recipe only, named ``one``."""
    return lambda does: monkeypatch.setattr(store, "RECIPES", {"one": Stub("one", "none", does=does)})


def writes(content: str) -> Build:
    def build(bench: Bench) -> None:
        (bench.files / "file").write_text(content)

    return build


def made(home: Path) -> str:
    return (home / "assets/one" / FILES / "file").read_text()


def test_a_damaged_asset_is_made_again(recipe: Callable[[Build], None], tmp_path: Path) -> None:
    recipe(writes("good"))
    store.prepare(tmp_path)
    (tmp_path / "assets/one" / FILES / "file").write_text("spoilt")
    store.prepare(tmp_path)
    assert made(tmp_path) == "good"


def test_what_is_sound_is_left_alone(recipe: Callable[[Build], None], tmp_path: Path) -> None:
    recipe(writes("first"))
    store.prepare(tmp_path)
    recipe(writes("second"))
    store.prepare(tmp_path)
    assert made(tmp_path) == "first"


def test_a_recipe_that_fails_half_way_leaves_nothing_and_the_next_try_succeeds(
    recipe: Callable[[Build], None], tmp_path: Path
) -> None:
    def fails(bench: Bench) -> None:
        writes("half")(bench)
        raise KeyboardInterrupt

    recipe(fails)
    with pytest.raises(KeyboardInterrupt):
        store.prepare(tmp_path)
    assert [path.name for path in (tmp_path / "assets").iterdir() if path.is_dir()] == []
    recipe(writes("whole"))
    store.prepare(tmp_path)
    assert made(tmp_path) == "whole"


def test_a_recipe_that_is_edited_while_it_is_made_is_not_taken_for_what_ran(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a branch changes under a running build: the old code ran, under the new one's fingerprint."""
    source = tmp_path / "recipe.py"
    source.write_text("old")

    @dataclass(frozen=True)
    class Edited(Stub):
        def fingerprint(self) -> str:
            return source.read_text()

    def build(bench: Bench) -> None:
        writes(f"made by {source.read_text()} code")(bench)
        source.write_text("new")

    monkeypatch.setattr(store, "RECIPES", {"one": Edited("one", "none", does=build)})
    with pytest.raises(PreparationError, match="The recipe of one was changed while it was made; begin again"):
        store.prepare(tmp_path)
    store.prepare(tmp_path)
    assert made(tmp_path) == "made by new code"


def test_what_a_killed_process_left_is_swept_away(recipe: Callable[[Build], None], tmp_path: Path) -> None:
    leftover = tmp_path / "assets/.making-killed"
    leftover.mkdir(parents=True)
    recipe(writes("good"))
    store.prepare(tmp_path)
    assert not leftover.exists()


def test_two_at_once_make_it_once(recipe: Callable[[Build], None], tmp_path: Path) -> None:
    times = []

    def slow(bench: Bench) -> None:
        times.append(time.monotonic())
        time.sleep(0.3)
        writes("good")(bench)

    recipe(slow)
    both = [threading.Thread(target=store.prepare, args=(tmp_path,)) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert (len(times), made(tmp_path)) == (1, "good")


def test_a_full_disk_is_named_and_what_was_there_stays(recipe: Callable[[Build], None], tmp_path: Path) -> None:
    recipe(writes("good"))
    store.prepare(tmp_path)

    def fills(bench: Bench) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    recipe(fills)
    (tmp_path / "assets/one/manifest.json").unlink()
    with pytest.raises(PreparationError, match="STANDINS_HOME"):
        store.prepare(tmp_path)
    assert made(tmp_path) == "good"


def test_too_little_room_is_said_before_anything_is_downloaded(
    recipe: Callable[[Build], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe(writes("good"))
    monkeypatch.setattr(store, "ROOM_NEEDED", 1 << 60)
    with pytest.raises(PreparationError, match="GB free"):
        store.prepare(tmp_path)


PACKAGE = Package("nothing-of-that-name", "1.0", sha256="0" * 64, take="x", licence="", author="")


def test_without_a_registry_the_package_and_the_remedy_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(PreparationError, match=r"nothing-of-that-name==1\.0") as told:
        fetch(PACKAGE, tmp_path / "download")
    assert "PIP_INDEX_URL" in str(told.value)


def test_a_file_other_than_the_pinned_one_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links/nothing_of_that_name-1.0-py3-none-any.whl").write_bytes(b"something else")
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "links"))
    with pytest.raises(PreparationError, match="not the pinned one"):
        fetch(PACKAGE, tmp_path / "download")


def test_a_start_with_everything_prepared_imports_no_torch() -> None:
    """`python -m standins` stays quick: what is heavy is imported where assets are made, in another process."""
    code = (
        "import sys; from standins import hub, provision; from standins.assets import ensure; "
        "ensure(provision.home()); print({'torch', 'transformers', 'datasets', 'numpy'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()", done.stdout
