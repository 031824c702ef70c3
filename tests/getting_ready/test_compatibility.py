"""Which versions belong together: no fact without a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from guide.facts.compatibility import DATA, Facts

FILE = Path(__file__).parents[2] / "docs" / DATA


def test_one_release_is_recommended_and_torch_is_that_of_torch_npu() -> None:
    facts = Facts.read(FILE)
    assert [release.torch_npu for release in facts.releases if release.recommended] == ["2.12.0"]
    for release in facts.releases:
        assert release.torch_npu.partition(".post")[0] == release.torch


def test_every_source_is_a_page() -> None:
    assert all(source.address.startswith("https://") for source in Facts.read(FILE).sources.values())


def test_a_fact_without_a_source_is_refused(tmp_path: Path) -> None:
    spoiled = tmp_path / "compatibility.toml"
    spoiled.write_text(FILE.read_text(encoding="utf-8").replace('source = "wheel"', 'source = "hearsay"'))
    with pytest.raises(KeyError, match="hearsay"):
        Facts.read(spoiled)
