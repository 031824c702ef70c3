"""Prints an epub: ``python print_book.py EPUB PDF``.

WeasyPrint does it: it knows running heads, page numbers in a table of contents, and bookmarks, and is no browser.  The
fonts come from Python packages, so that a PDF looks the same wherever it is made, and has Chinese in it.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET
from zipfile import ZipFile

STYLE = Path(__file__).parents[3] / "_static/print.css"
XHTML = "{http://www.w3.org/1999/xhtml}"
OPF = "{http://www.idpf.org/2007/opf}"
FONTS = {  # family, weight: package and file; Chinese is emphasised by another face rather than by a bolder one
    ("Book", "normal"): ("pylopdf_fonts_zh_cn", "NotoSerifSC-Regular.otf"),
    ("Book Sans", "normal"): ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
    ("Book Symbols", "normal"): ("matplotlib", "mpl-data/fonts/ttf/DejaVuSans.ttf"),
    ("Book Mono", "normal"): ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono.ttf"),
    ("Book Mono", "bold"): ("matplotlib", "mpl-data/fonts/ttf/DejaVuSansMono-Bold.ttf"),
}

EMOJI = str.maketrans({"❌": "✘"})  # that programs print, and no font of text has


def chapters(book: Path) -> list[Path]:
    """Files of an unpacked epub in reading order; what is beside the reading order is left out."""
    package = ET.parse(book / "content.opf").getroot()
    places = {item.get("id"): item.get("href", "") for item in package.iter(f"{OPF}item")}
    items = (item for item in package.iter(f"{OPF}itemref") if item.get("linear") != "no")
    return [book / places[item.get("idref")] for item in items]


def joined(pages: list[Path]) -> ET.Element:
    """One document of several: the first one's head, everyone's body; what leads to another page leads within it."""
    names = {page.name for page in pages}
    whole = ET.parse(pages[0]).getroot()
    body = whole.find(f"{XHTML}body")
    assert body is not None
    body.clear()
    for page in pages:
        own = ET.parse(page).getroot().find(f"{XHTML}body")
        assert own is not None
        section = ET.SubElement(body, f"{XHTML}section", {"id": page.name})
        for element in own.iter():
            if identifier := element.get("id"):
                element.set("id", f"{page.name}--{identifier}")
            path, _, anchor = element.get("href", "").partition("#")
            if element.tag == f"{XHTML}a" and (path or page.name) in names:
                target = path or page.name
                element.set("href", f"#{target}--{anchor}" if anchor else f"#{target}")
        section.extend(own)
    for element in whole.iter():
        element.tag = element.tag.removeprefix(XHTML)  # HTML has no namespaces
    return whole


def font_faces() -> str:
    """A stylesheet of the fonts."""
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; font-weight: {weight}; '
        f'src: url("{Path(str(files(package) / file)).as_uri()}"); }}'
        for (family, weight), (package, file) in FONTS.items()
    )


def print_book(epub: Path, pdf: Path) -> None:
    """Write the PDF of an epub; says what to install where that can not be done."""
    try:
        from weasyprint import HTML
    except OSError as error:
        sys.exit(f"{error}\nWeasyPrint needs Pango: apt-get install libpango-1.0-0 libpangoft2-1.0-0")
    with TemporaryDirectory() as folder:
        book = Path(folder)
        with ZipFile(epub) as archive:
            archive.extractall(book)
        whole = joined(chapters(book))
        head = whole.find("head")
        assert head is not None
        ET.SubElement(head, "style").text = font_faces() + STYLE.read_text(encoding="utf-8")  # after the book's own
        html = ET.tostring(whole, encoding="unicode", method="html").translate(EMOJI)
        HTML(string=html, base_url=str(book) + "/").write_pdf(pdf)


if __name__ == "__main__":
    print_book(Path(sys.argv[1]), Path(sys.argv[2]))
