"""What a page says of the device follows the device: a site that is built on silicon does not call it virtual."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from guide.runs.badge import NO_CHIP

DOCS = Path(__file__).parents[2] / "docs"
# They speak of the virtual device itself, or of records that were made on it, wherever the site is built.
ABOUT_IT = {"index", "laptop", "containers", "verification", "architecture", "benchmark", "copyright"}
# Where a fact was found does not depend on where the site is built.
FOUND_THERE = re.compile("这是在虚拟 NPU 上看到的|This was seen on the virtual NPU")
PAGES = sorted(page.stem for page in DOCS.glob("*.rst") if page.stem not in ABOUT_IT)
DROPPED = re.compile(r"^(?P<space> *)\.\. only:: not ascend\n(?:(?P=space) +\S.*\n|\n)+", re.MULTILINE)


def without_space(text: str) -> str:
    return re.sub(r"\s|\\", "", text)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.trial("A site that is built on silicon: seven pages spoke of a virtual NPU")
def test_no_sentence_for_both_says_that_there_is_no_chip(page: str) -> None:
    """Sentences that are only true of the virtual NPU are dropped there, on every page."""
    text = (DOCS / f"{page}.rst").read_text(encoding="utf-8")
    shown_always = FOUND_THERE.sub("", DROPPED.sub("", text))
    assert not [line for line in shown_always.splitlines() if NO_CHIP.search(line)]

    with (DOCS / f"locale/en/LC_MESSAGES/{page}.po").open(encoding="utf-8") as file:
        messages = [(str(each.id), str(each.string)) for each in read_po(file) if each.id]
    here = without_space(DROPPED.sub("", text))
    said = [FOUND_THERE.sub("", english) for chinese, english in messages if without_space(chinese) in here]
    told = [english for english in said if NO_CHIP.search(english)]
    assert not told


def test_such_sentences_are_known() -> None:
    for said in (
        "虚拟 NPU 没有",
        "这里的 NPU 是虚拟的",
        "没有昇腾芯片",
        "the virtual NPU has none",
        "There is no Ascend chip",
    ):
        assert NO_CHIP.search(said)
    assert DROPPED.sub("", "A\n\n.. only:: not ascend\n\n   .. note::\n\n      B\n\n   C\n\nD\n") == "A\n\nD\n"
