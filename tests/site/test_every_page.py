"""What holds for every page: it is whole, light, readable by anyone on anything, and asks no other host."""

from __future__ import annotations

import functools
import gzip
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from built_site import PHONE, Site
from playwright.sync_api import Browser, Page, Request

SERIOUS = ("serious", "critical")
PAGE_BYTES = 300_000  # transferred, compressed as hosts do, without pictures


class References(HTMLParser):
    """The links, resources and anchors of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.resources: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.anchors |= {attributes[name] for name in ("id", "name") if name in attributes}
        if tag == "a" and "href" in attributes:
            self.links.append(attributes["href"])
        elif tag in ("script", "img", "source") and "src" in attributes:
            self.resources.append(attributes["src"])
        elif tag == "link" and attributes.get("rel") in ("stylesheet", "shortcut icon"):
            self.resources.append(attributes["href"])


@pytest.fixture(scope="module")
def references(site: Site) -> dict[str, References]:
    return {page: References(site.text(page)) for page in site.pages}


def test_there_are_pages_in_both_languages(site: Site) -> None:
    assert "index.html" in site.articles
    assert {page for page in site.pages if not page.startswith("en/")} == {
        page.removeprefix("en/") for page in site.pages if page.startswith("en/")
    }


def test_every_link_inside_the_site_leads_somewhere(site: Site, references: dict[str, References]) -> None:
    lost = []
    for page, found in references.items():
        for reference in found.links + found.resources:
            target = urlsplit(urljoin(site.url + page, reference))
            if target.netloc != urlsplit(site.url).netloc:
                continue
            path = unquote(target.path).lstrip("/") or "index.html"
            if not (site.folder / path).is_file():
                lost.append(f"{page}: {reference}")
            elif target.fragment and path in references and unquote(target.fragment) not in references[path].anchors:
                lost.append(f"{page}: {reference} (no such anchor)")
    assert lost == []


def test_no_page_takes_anything_from_another_host(site: Site, references: dict[str, References]) -> None:
    foreign = [
        f"{page}: {resource}"
        for page, found in references.items()
        for resource in found.resources
        if urlsplit(urljoin(site.url, resource)).netloc != urlsplit(site.url).netloc
    ]
    assert foreign == []


@dataclass
class Visit:
    """What happened when a page was opened on a phone."""

    faults: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    """What the browser asked the site for, pictures left out."""
    width: int = 0


@pytest.fixture(scope="module")
def visits(site: Site, browser: Browser) -> dict[str, Visit]:
    """Every page opened once, with a cold cache and all folds open."""
    found: dict[str, Visit] = {}
    context = browser.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    page = context.new_page()
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    visit = Visit()

    def note_request(request: Request) -> None:
        if not request.url.startswith(site.url):
            visit.faults.append(f"asks {request.url}")
        elif request.resource_type != "image":
            visit.files.add(unquote(urlsplit(request.url).path).lstrip("/"))

    page.on("request", note_request)
    page.on("response", lambda response: response.status < 400 or visit.faults.append(f"no {response.url}"))
    page.on("console", lambda message: message.type in ("error", "warning") and visit.faults.append(message.text))
    page.on("pageerror", lambda error: visit.faults.append(str(error)))
    for path in site.pages:
        visit = found[path] = Visit()
        page.goto(site.url + path)
        page.locator("details").evaluate_all("all => all.forEach(fold => fold.open = true)")
        visit.width = page.evaluate("document.documentElement.scrollWidth")
    context.close()
    return found


def test_every_page_opens_without_foreign_request_or_error(visits: dict[str, Visit]) -> None:
    assert {path: visit.faults for path, visit in visits.items() if visit.faults} == {}


def test_no_page_scrolls_sideways_on_a_phone(visits: dict[str, Visit]) -> None:
    assert {path: visit.width for path, visit in visits.items() if visit.width > PHONE["width"]} == {}


def test_a_page_is_light(site: Site, visits: dict[str, Visit]) -> None:
    """Compressed as hosts do."""
    packed = functools.cache(lambda file: len(gzip.compress((site.folder / file).read_bytes())))
    weights = {path: sum(map(packed, visit.files)) for path, visit in visits.items()}
    assert {path: weight for path, weight in weights.items() if weight > PAGE_BYTES} == {}
    assert not [file for visit in visits.values() for file in visit.files if "font" in file]  # the system's will do


def serious(page: Page, **options: object) -> list[str]:
    """What axe says of the page, folds opened."""
    page.locator("details").evaluate_all("all => all.forEach(fold => fold.open = true)")
    context = options.pop("context", None)
    report = Axe().run(page, context=context, options={"resultTypes": ["violations"], **options})  # type: ignore[arg-type]
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:200]} ({len(violation['nodes'])} times)"
        for violation in report.response["violations"]
        if violation["impact"] in SERIOUS
    ]


def test_axe_finds_nothing_serious(site: Site, browser: Browser) -> None:
    """Every page of the main language, and one of each kind in English: the templates are the same.

    Code is left out here, it has thousands of parts to look at and the same colours everywhere.
    """
    pages = [*site.articles, "search.html", "404.html", "examples/tokenizer.html", "en/index.html", "en/tokenizer.html"]
    context = browser.new_context(color_scheme="light")
    page = context.new_page()
    found = {}
    for path in pages:
        page.goto(site.url + path)
        if faults := serious(page, context={"exclude": [["pre"]]}):
            found[path] = faults
    context.close()
    assert found == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["fine_tuning.html", "install.html", "en/verification.html"])
def test_colours_have_contrast_enough(site: Site, browser: Browser, path: str, scheme: str) -> None:
    """Code, outputs, logs, tables, notes and what did not run, in both schemes."""
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(site.url + path)
    assert serious(page, runOnly=["color-contrast"]) == []
    context.close()


def test_every_picture_is_described_in_the_language_of_its_page(site: Site) -> None:
    for page in site.pages:
        if PurePosixPath(page).parent.name == "examples":
            continue
        for image in re.findall(r"<img[^>]*>", site.text(page)):
            alt = re.search(r'alt="([^"]+)"', image)
            assert alt, f"{page}: {image}"
            if page.startswith("en/"):
                assert not re.search(r"[\u4e00-\u9fff]", alt[1]), f"{page}: {alt[1]}"


def test_every_page_has_its_language_title_and_heading(site: Site) -> None:
    for page in site.pages:
        text = site.text(page)
        tag = "en" if page.startswith("en/") else "zh-CN"
        assert f'lang="{tag}"' in text.partition("<head>")[0], page
        assert re.search(r"<title>[^<]+</title>", text), page


def test_every_article_can_be_edited_and_says_how_long_it_takes(site: Site) -> None:
    for page in site.articles:
        stem = page.removesuffix(".html")
        assert f'href="https://repository.example/guide/edit/main/docs/{stem}.rst"' in site.text(page)
        assert "reading-time" in site.text(page) or page == "index.html"


def test_every_heading_of_an_article_has_an_anchor(site: Site) -> None:
    for page in site.articles:
        body = site.text(page).partition('id="main"')[2].partition("<footer>")[0]
        headings = re.findall(r"<h[1-6]>.*?</h[1-6]>", body, re.DOTALL)
        assert headings, page
        assert all('class="headerlink"' in heading for heading in headings), page


def test_pages_can_be_read_without_script(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("index.html", java_script_enabled=False, viewport=PHONE)
    assert page.locator(".wy-menu-vertical a").first.is_visible()  # the menu needs no button then
    assert page.locator(".cell_output").first.is_visible()
    assert not page.locator(".scheme-switch").is_visible()
    assert page.locator("html").evaluate("page => page.scrollWidth") <= PHONE["width"]
