"""Two languages: one switch that stays on the page, the same code and the same outputs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from html import unescape
from urllib.parse import quote, urljoin

from built_site import Site
from playwright.sync_api import Page, expect

LINK = re.compile(r'<a class="reference internal" href="([^"#]+\.html)">(.*?)</a>', re.DOTALL)
CELL_TEXT = re.compile(r"<pre[^>]*>(.*?)</pre>", re.DOTALL)


def cells_of(site: Site, page: str) -> list[str]:
    """Text of every code cell, its outputs, and what did not run, in the order of the page."""
    return [unescape(re.sub(r"<[^>]+>", "", block)) for block in CELL_TEXT.findall(site.text(page))]


def plain(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()


def heading(text: str) -> str:
    """What a page is called, without the sign of its own address."""
    return plain(re.sub(r'<a class="headerlink".*?</a>', "", text.partition("<h1>")[2].partition("</h1>")[0]))


def test_the_switch_stays_on_the_page_and_in_its_section(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(site.articles[-1])
    section = quote(page.locator("#main section section[id]").first.get_attribute("id") or "")
    page.goto(f"{site.url}{site.articles[-1]}#{section}")
    page.get_by_role("link", name="English", exact=True).click()
    expect(page).to_have_url(f"{site.url}en/{site.articles[-1]}#{section}")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("link", name="中文", exact=True).click()
    expect(page).to_have_url(f"{site.url}{site.articles[-1]}#{section}")


def test_the_switch_keeps_the_query_of_a_search(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("search.html?q=Trainer")
    page.get_by_role("link", name="English", exact=True).click()
    expect(page).to_have_url(f"{site.url}en/search.html?q=Trainer")


def test_every_page_names_itself_in_both_languages(site: Site) -> None:
    for page in site.pages:
        own = page.removeprefix("en/")
        links = dict(re.findall(r'<link rel="alternate" hreflang="([^"]+)" href="([^"]+)"', site.text(page)))
        assert links == {
            "zh-CN": site.url + own,
            "en": f"{site.url}en/{own}",
            "x-default": site.url + own,
        }, page


def test_code_and_outputs_are_identical(site: Site) -> None:
    shown = 0
    for page in site.pages:
        if not page.startswith("en/"):
            assert cells_of(site, page) == cells_of(site, f"en/{page}"), page
            shown += len(cells_of(site, page))
    assert shown


def test_files_for_download_are_identical(site: Site) -> None:
    """Notebooks but for their prose: test_notebooks.py."""
    names = [path.name for path in (site.folder / "examples").iterdir() if path.suffix not in (".html", ".ipynb")]
    assert names
    for name in names:
        assert (site.folder / "examples" / name).read_bytes() == (site.folder / "en/examples" / name).read_bytes()


def test_pictures_are_identical(site: Site) -> None:
    def digests(folder: str) -> set[str]:
        return {hashlib.sha256(path.read_bytes()).hexdigest() for path in (site.folder / folder).glob("*.png")}

    assert digests("_images") == digests("en/_images")


def test_the_interface_speaks_english_on_english_pages(site: Site) -> None:
    """Chinese there is the name of the language, code, and what a page says; not a button."""
    for page in site.pages:
        if page.startswith("en/"):
            text = site.text(page)
            frame = text.partition('id="main"')[0].replace(">中文<", "") + text.partition("<footer>")[2]
            frame = re.sub(r'<div class="wy-menu.*?</nav>|<title>.*?</title>|<meta[^>]*>', "", frame, flags=re.DOTALL)
            frame = re.sub(r'<li class="breadcrumb-item.*?</li>|title="[^"]*"', "", frame)
            assert not re.search(r"[\u4e00-\u9fff]+", frame), page


def test_a_page_has_one_name(site: Site) -> None:
    """Its heading, which contents repeat and links repeat in whole or in part, and nothing else."""
    headings = {page: heading(site.text(page)) for page in site.pages}
    others = []
    for page in site.pages:
        for address, text in LINK.findall(site.text(page)):
            name = headings[site.path_of(urljoin(site.url + page, address))]
            called = name if "<code" in text else plain(text)  # a file is called by its name
            if called.casefold() not in name.casefold():
                others.append(f"{page}: {called} is {name}")
    assert others == []
