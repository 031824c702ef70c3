"""Readers' pages speak the words of the field, in Chinese and in English: read from the sources, without a build."""

from __future__ import annotations

import re

import pytest
from babel.messages.pofile import read_po
from built_site import ROOT

EXPLAINED = {"verification", "architecture", "benchmark"}  # for maintainers, or where the word is explained
PAGES = sorted(path.stem for path in (ROOT / "docs").glob("*.rst") if path.stem not in EXPLAINED)
PRIVATE = re.compile(r"替身|横栏|演算|考题|考卷|[这那每]一?格(?!式)|(?<=[^风表规])一格|小矩阵")
SLIPS = re.compile(
    r"\b(can not|majority's|stand-ins?|rehears\w*|the bar above|commonest|data sets?|learnt|for it is|for want of"
    r"|in the end you have|after this page you|if something goes wrong|what goes wrong|when things go wrong)\b",
    re.IGNORECASE,
)
OURS = re.compile(r"`[^`]*`|:\w+:")  # names of files, labels and code
TITLES = {
    "my_data": ("用自己的数据微调", "Fine-tune on your own data"),
    "dataset": ("数据集", "Dataset"),
    "distributed": ("多卡训练", "Multi-NPU training"),
    "resuming": ("断点续训", "Resuming from a checkpoint"),
    "model": ("下载模型", "Downloading the model"),
    "fine_tuning": ("微调：分类", "Fine-tuning for classification"),
}
DESCRIPTION = 160  # characters that a search engine shows


def english(page: str) -> dict[str, str]:
    """The translation of each text of a page."""
    text = (ROOT / f"docs/locale/en/LC_MESSAGES/{page}.po").read_text(encoding="utf-8")
    return {str(message.id): str(message.string) for message in read_po(text.splitlines()) if message.id}


def first_paragraph(page: str) -> str:
    """What the description of the page is made of, as gettext has it."""
    text = (ROOT / f"docs/{page}.rst").read_text(encoding="utf-8")
    after_title = re.split(r"^={4,}$", text, maxsplit=1, flags=re.MULTILINE)[1]
    blocks = (block.strip() for block in re.split(r"\n\s*\n", after_title))
    return " ".join(next(block for block in blocks if block and not block.startswith("..")).split("\n"))


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_no_private_word(page: str) -> None:
    text = OURS.sub("", (ROOT / f"docs/{page}.rst").read_text(encoding="utf-8"))
    assert not PRIVATE.findall(text)


@pytest.mark.parametrize("page", [*PAGES, *sorted(EXPLAINED - {"benchmark"})])
def test_its_english_has_no_slip(page: str) -> None:
    slips = [slip for text in english(page).values() for slip in SLIPS.findall(OURS.sub("", text))]
    assert not [slip for slip in slips if page not in EXPLAINED or not re.match("stand-in|rehears", slip, re.I)]


@pytest.mark.parametrize("page", sorted(TITLES))
def test_titles_are_what_people_search_for(page: str) -> None:
    chinese, translated = TITLES[page]
    assert re.search(rf"^{re.escape(chinese)}\n=+$", (ROOT / f"docs/{page}.rst").read_text(encoding="utf-8"), re.M)
    assert english(page)[chinese] == translated


@pytest.mark.parametrize("page", [page for page in PAGES if page != "index"])
def test_a_description_is_a_whole_sentence(page: str) -> None:
    said = first_paragraph(page)
    for text, end in ((said, "。"), (english(page)[said], ".")):
        plain = re.sub(r":\w+:`([^`<]*?)(?: <[^`]*>)?`|\\ ", r"\1", text)
        assert plain.endswith(end) and len(plain) <= DESCRIPTION, plain
