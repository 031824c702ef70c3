"""Draws the card that messengers show of a page: what sphinxext-opengraph draws, with lines of Chinese.

(That breaks lines at spaces only, and its font has no Chinese.)
"""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

SIZE = (1200, 630)  # pixels that OpenGraph's readers agree on
MARGIN = 80
PAPER, INK, MUTED, ACCENT = "#ffffff", "#1f2933", "#52606d", "#b3202c"
FONT = str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf")
# A line ends at a space or after a Chinese character, but not before punctuation.
PIECE = re.compile(
    r"[\u2e80-\u9fff\uff00-\uffef][，。、；：！？）》”…]*|[^\s\u2e80-\u9fff\uff00-\uffef]+[，。、；：！？）》”…]*|\s+"
)


def lines(text: str, font: ImageFont.FreeTypeFont, most: int) -> list[str]:
    """The text in at most so many lines of the card's width, the last one cut off with an ellipsis."""
    width = SIZE[0] - 2 * MARGIN
    found = [""]
    for piece in PIECE.findall(text):
        if font.getlength(found[-1] + piece.rstrip()) <= width:
            found[-1] += piece
        elif len(found) < most:
            found.append(piece.lstrip())
        else:
            while font.getlength(found[-1] + "…") > width:
                found[-1] = found[-1][:-1]
            found[-1] = found[-1].rstrip("，。、；： ") + "…"
            break
    return [line.rstrip() for line in found]


def draw(site: str, title: str, description: str, target: Path) -> None:
    """A PNG: the site above, the title, what the page says of itself below."""
    small, large, middle = (ImageFont.truetype(FONT, size) for size in (34, 76, 36))
    card = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(card)
    pen.rectangle((0, 0, 16, SIZE[1]), fill=ACCENT)
    if site != title:
        pen.text((MARGIN, 70), site, MUTED, small)
    top = 150
    for line in lines(title, large, 2):
        pen.text((MARGIN, top), line, INK, large, stroke_width=1, stroke_fill=INK)
        top += 104
    top += 30
    for line in lines(description, middle, 4):
        pen.text((MARGIN, top), line, MUTED, middle)
        top += 56
    target.parent.mkdir(parents=True, exist_ok=True)
    card.quantize(32).save(target, optimize=True)
