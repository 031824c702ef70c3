"""Damage to a prepared asset is noticed, and nothing else is."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from standins.assets import manifest
from standins.assets.manifest import FILES

RECIPE = "recipe 1"


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    """A folder with two files and their manifest."""
    files = tmp_path / FILES
    (files / "sub").mkdir(parents=True)
    (files / "weights").write_bytes(b"0123456789")
    (files / "sub/notes").write_bytes(b"notes")
    manifest.write(manifest.survey(files, RECIPE), tmp_path)
    return tmp_path


def test_a_record_has_the_hashes_that_hubs_give(asset: Path) -> None:
    notes, weights = manifest.survey(asset / FILES, RECIPE).records
    assert (notes.path, weights.path) == ("sub/notes", "weights")
    assert weights.sha256 == hashlib.sha256(b"0123456789").hexdigest()
    assert weights.git_oid == hashlib.sha1(b"blob 10\x000123456789").hexdigest()


def test_what_is_untouched_is_sound(asset: Path) -> None:
    assert manifest.sound(asset, RECIPE) == manifest.read(asset)


def test_what_was_only_touched_is_sound_and_believed_the_next_time(asset: Path) -> None:
    os.utime(asset / FILES / "weights", (1, 1))
    assert manifest.sound(asset, RECIPE)
    again = manifest.read(asset)
    assert again
    assert all(record.untouched(asset / FILES) for record in again.records)


@pytest.mark.parametrize("damage", [b"0123456780", b"01234", None])
def test_a_changed_a_shortened_and_a_missing_file_are_noticed(asset: Path, damage: bytes | None) -> None:
    weights = asset / FILES / "weights"
    if damage is None:
        weights.unlink()
    else:
        weights.write_bytes(damage)
    assert manifest.sound(asset, RECIPE) is None


def test_a_bit_that_flipped_on_the_disk_is_found_by_a_thorough_look(asset: Path) -> None:
    weights = asset / FILES / "weights"
    before = weights.stat()
    weights.write_bytes(b"0123456780")
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert manifest.sound(asset, RECIPE)
    assert manifest.sound(asset, RECIPE, thorough=True) is None


def test_an_asset_of_another_recipe_is_not_sound(asset: Path) -> None:
    assert manifest.sound(asset, "recipe 2") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"recipe": "recipe 1", "records": [{}]}'])
def test_a_manifest_that_can_not_be_read_counts_as_none(asset: Path, text: str) -> None:
    (asset / manifest.MANIFEST).write_text(text)
    assert manifest.sound(asset, RECIPE) is None
