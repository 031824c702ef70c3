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
from built_site import DESKTOP, PHONE, SMALL_PHONE, WIDER_LETTERS, Site
from playwright.sync_api import Browser, Page, Request

PAGE_BYTES = 75_000  # transferred, compressed as hosts do, without pictures; it was 116,000 with the theme's own files
SEARCH_BYTES = 210_000  # of the page that loads the index
SCRIPTS_BEFORE_PAINT = {"color_scheme.js", "your_host.js"}  # what is drawn depends on them


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
            path = site.path_of(target.geturl())
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


WIDTHS = (1440, DESKTOP["width"], PHONE["width"], SMALL_PHONE["width"])
BAR_LINES = {1440: 1, DESKTOP["width"]: 1, PHONE["width"]: 2, SMALL_PHONE["width"]: 2}
BAR = """bar => {
  const [what, files, more] = [".what", ".files", "summary"]
    .map(part => bar.querySelector(part).getBoundingClientRect());
  if (more.left < files.right) return 99;
  const line = parseFloat(getComputedStyle(bar.querySelector("p")).lineHeight);
  return Math.round((Math.max(what.bottom, files.bottom, more.bottom) - what.top) / line);
}"""
HIDDEN_BY_BUTTON = """button => {
  const { left, bottom, width } = button.getBoundingClientRect();
  const letters = document.createRange();
  const texts = document.createNodeIterator(button.parentElement.querySelector("pre"), NodeFilter.SHOW_TEXT);
  for (let text; width && (text = texts.nextNode());) {
    letters.selectNodeContents(text);
    for (const place of letters.getClientRects()) {
      if (place.top > bottom - 2) return false;
      if (place.width && place.right > left + 1) return true;
    }
  }
  return false;
}"""
OPEN_FOLDS = "all => all.forEach(fold => fold.open = true)"
LAYOUT = f"""() => [
  document.documentElement.scrollWidth - innerWidth,
  [...document.querySelectorAll(".run-record")].map({BAR}),
  [...document.querySelectorAll("pre, .cell_output .output")]
    .filter(box => box.scrollWidth > box.clientWidth + 1)
    .map(box => box.textContent.trim().slice(0, 80)),
  [...document.querySelectorAll("button.copybtn")]
    .filter({HIDDEN_BY_BUTTON})
    .map(button => button.parentElement.textContent.trim().slice(0, 80)),
]"""


@dataclass
class Visit:
    """What happened when a page was opened on a phone, and how it lies in windows of several widths."""

    faults: list[str] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    """What the browser asked the site for, pictures left out."""
    overflow: dict[int, int] = field(default_factory=dict)
    """Pixels that the page is wider than the window."""
    bars: dict[int, list[int]] = field(default_factory=dict)
    """Lines of text that what stands below the title takes; 99 where its parts lie on each other."""
    scrolling: dict[int, list[str]] = field(default_factory=dict)
    """Beginnings of code and outputs that do not fit the column."""
    hidden: dict[int, list[str]] = field(default_factory=dict)
    """Beginnings of code on which the copy button lies."""


@pytest.fixture(scope="module")
def visits(site: Site, browser: Browser) -> dict[str, Visit]:
    """Every page opened once, with a cold cache and all folds open.

    Fonts differ from host to host, and letters here are wider than any font's: no line may depend on a few pixels.
    """
    found: dict[str, Visit] = {}
    context = browser.new_context(viewport=PHONE, has_touch=True)  # type: ignore[arg-type]
    context.add_init_script(WIDER_LETTERS)
    page = context.new_page()
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    visit = Visit()

    def note_request(request: Request) -> None:
        if not request.url.startswith(site.url):
            visit.faults.append(f"asks {request.url}")
        elif request.resource_type != "image":
            visit.files.add(site.path_of(request.url))

    page.on("request", note_request)
    page.on("response", lambda response: response.status < 400 or visit.faults.append(f"no {response.url}"))
    page.on("console", lambda message: message.type in ("error", "warning") and visit.faults.append(message.text))
    page.on("pageerror", lambda error: visit.faults.append(str(error)))
    for path in site.pages:
        visit = found[path] = Visit()
        page.goto(site.url + path)
        page.locator("details").evaluate_all(OPEN_FOLDS)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": PHONE["height"]})
            layout = page.evaluate(LAYOUT)
            visit.overflow[width], visit.bars[width], visit.scrolling[width], visit.hidden[width] = layout
    context.close()
    return found


def test_every_page_opens_without_foreign_request_or_error(visits: dict[str, Visit]) -> None:
    assert {path: visit.faults for path, visit in visits.items() if visit.faults} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_scrolls_sideways(visits: dict[str, Visit], width: int) -> None:
    assert {path: visit.overflow[width] for path, visit in visits.items() if visit.overflow[width] > 0} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_the_copy_button_hides_no_code(visits: dict[str, Visit], width: int) -> None:
    assert {path: visit.hidden[width] for path, visit in visits.items() if visit.hidden[width]} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_code_and_outputs_fit_the_column(visits: dict[str, Visit], width: int) -> None:
    assert {path: visit.scrolling[width] for path, visit in visits.items() if visit.scrolling[width]} == {}


@pytest.mark.parametrize("width", WIDTHS)
def test_what_stands_below_a_title_is_a_line(visits: dict[str, Visit], width: int) -> None:
    """On a phone two; all else is behind its last word."""
    bars = {path: visit.bars[width] for path, visit in visits.items() if visit.bars[width]}
    assert {"lora.html", "en/lora.html", "examples/lora.html"} <= bars.keys()
    assert {path: lines for path, lines in bars.items() if len(lines) > 1 or lines[0] > BAR_LINES[width]} == {}


def test_a_page_is_light(site: Site, visits: dict[str, Visit]) -> None:
    """Compressed as hosts do."""
    packed = functools.cache(lambda file: len(gzip.compress((site.folder / file).read_bytes())))
    weights = {path: sum(map(packed, visit.files)) for path, visit in visits.items()}
    limits = {path: SEARCH_BYTES if path.endswith("search.html") else PAGE_BYTES for path in weights}
    assert {path: weight for path, weight in weights.items() if weight > limits[path]} == {}
    assert not [file for visit in visits.values() for file in visit.files if "font" in file]  # the system's will do


def test_nothing_is_waited_for_but_what_decides_what_is_drawn(site: Site) -> None:
    for page in site.pages:
        head = site.text(page).partition("</head>")[0]
        waited = re.findall(r'<script(?! defer)[^>]* src="[^"]*?(\w+\.js)', head)
        assert set(waited) == SCRIPTS_BEFORE_PAINT, page
        assert len(re.findall(r'<link rel="stylesheet"', head)) == 2, page


# A page has thousands of tokens of code in a dozen colours: the first of each kind is looked at, in each place.
ONE_OF_EACH_COLOUR = """seen => {
  const known = new Set(seen);
  for (const token of document.querySelectorAll("pre span:not(.line, .hll)")) {
    const place = token.closest(".cell_output, .not-run, .at-8b, .cell_input")?.className ?? "";
    const kind = `${token.className} in ${place}`;
    if (known.has(kind)) token.replaceWith(token.textContent);
    else known.add(kind);
  }
  return [...known];
}"""


@pytest.mark.parametrize(("folder", "scheme"), [("", "light"), ("en/", "dark")])
def test_axe_finds_nothing(site: Site, browser: Browser, folder: str, scheme: str) -> None:
    """Every written page with its folds open, by every rule: one language in one scheme, the other in the other."""
    pages = [folder + page for page in (*site.articles, "search.html", "404.html", "examples/tokenizer.html")]
    context = browser.new_context(color_scheme=scheme)  # type: ignore[arg-type]
    page = context.new_page()
    found, seen = {}, list[str]()
    for path in pages:
        page.goto(site.url + path)
        page.locator("details").evaluate_all(OPEN_FOLDS)
        seen = page.evaluate(ONE_OF_EACH_COLOUR, seen)
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        if violations:
            found[path] = [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in violations]
    context.close()
    assert len(seen) > 20
    assert found == {}


def test_every_picture_is_described_in_the_language_of_its_page(site: Site) -> None:
    for page in site.pages:
        if PurePosixPath(page).parent.name == "examples":
            continue
        for image in re.findall(r"<img[^>]*>", site.text(page)):
            alt = re.search(r'alt="([^"]+)"', image)
            assert alt, f"{page}: {image}"
            if page.startswith("en/"):
                assert not re.search(r"[\u4e00-\u9fff]", alt[1]), f"{page}: {alt[1]}"


def test_words_about_a_picture_hold_in_dark_mode_too(site: Site) -> None:
    """Plots are turned from dark on light to light on dark there, so none may tell more from less by darkness."""
    darkness = re.compile(r"[深浅]色|越[深浅]|较[深浅]|\b(?:darker|lighter|dark|pale)\b")
    told = {}
    for page in site.pages:
        main = site.text(page).partition('id="main"')[2].partition("<footer>")[0]
        if "<img" not in main:
            continue
        prose = re.sub(r"<pre.*?</pre>|<(?!img)[^>]+>", "", main, flags=re.DOTALL)
        if found := darkness.findall(prose):
            told[page] = found
    assert told == {}


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
