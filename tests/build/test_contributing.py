"""What is written for those who take part is true: the files are there, the commands exist, builds say these words."""

from __future__ import annotations

import re

import pytest
from small_site import ROOT

TEXTS = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("CONTRIBUTING.md", "README.md", "CHANGELOG.md")}
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
NEW = re.compile(r"quantization|HOST|主机名|NAME|my-")  # what somebody will make


@pytest.mark.parametrize("name", TEXTS)
def test_files_are_there_and_commands_exist(name: str) -> None:
    text = TEXTS[name]
    paths = re.findall(r"`([\w.-]+/[\w./-]*)`", text) + re.findall(r"\]\(([\w./]+)", text)
    below = [ROOT, ROOT / "docs/_ext/guide"]
    assert [path for path in paths if not NEW.search(path) and not any((root / path).exists() for root in below)] == []
    assert set(re.findall(r"`make ([a-z-]+)", text)) <= set(TARGETS)


def test_both_languages_have_the_same_steps_and_rows() -> None:
    chinese, english = TEXTS["CONTRIBUTING.md"].split("\n---\n")
    for pattern in (r"^\d+\. ", r"^\| "):
        assert len(re.findall(pattern, chinese, re.MULTILINE)) == len(re.findall(pattern, english, re.MULTILINE)) >= 10


@pytest.mark.parametrize(
    "words", ["typed code or output", "no page shows cell", "recorded was", "run 'make translations'"]
)
def test_a_red_build_says_these_words(words: str) -> None:
    assert words in TEXTS["CONTRIBUTING.md"]
    files = [*ROOT.glob("docs/_ext/**/*.py"), *ROOT.glob("engine/**/*.py"), *ROOT.glob("tests/site/*.py")]
    assert any(words in file.read_text(encoding="utf-8") for file in files)
