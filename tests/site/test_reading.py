"""What a reader does on a page: copies code, opens logs, switches to dark, uses the keyboard."""

from __future__ import annotations

import re
from collections.abc import Callable

import nbformat
from built_site import DESKTOP, PHONE, Site
from playwright.sync_api import Page, expect

CLIPBOARD = ["clipboard-read", "clipboard-write"]
SCHEME_OF_FIRST_BODY = """
new MutationObserver(() => {
  const styles = document.querySelector('style[data-scheme="dark"]');
  if (document.body && styles) window.firstMedia ??= styles.media;
}).observe(document, {childList: true, subtree: true});
"""
SCROLLING = (
    "[...document.querySelectorAll('pre, .wy-table-responsive')].filter(box => box.scrollWidth > box.clientWidth)"
)
ALL_REACHABLE = f"{SCROLLING}.every(box => box.tabIndex === 0)"


def darkness(page: Page) -> float:
    """0 for a white page, 1 for a black one."""
    colour = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    channels = [int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")]
    return 1 - sum(channels) / 765


def test_copying_a_cell_gives_its_code_and_nothing_else(site: Site, open_page: Callable[..., Page]) -> None:
    notebook = nbformat.read(site.folder / "examples/tokenizer.ipynb", as_version=4)
    sources = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    page = open_page("examples/tokenizer.html", permissions=CLIPBOARD)
    buttons = page.locator("button.copybtn")
    expect(buttons).to_have_count(len(sources))
    for index, source in enumerate(sources):
        buttons.nth(index).click()
        expect(buttons.nth(index)).to_have_class("copybtn o-tooltip--left success")
        assert page.evaluate("navigator.clipboard.readText()").rstrip() == source.rstrip()


def test_selecting_a_cell_gives_its_text_at_any_width(site: Site, open_page: Callable[..., Page]) -> None:
    """A line that is broken on a phone, and the arrow before its second row, are not in what is selected."""
    page = open_page("my_data.html", viewport=PHONE)
    source = (site.folder / "examples/my_data.py").read_text(encoding="utf-8")
    cells = page.locator(".cell_input pre")
    selected = "cell => { getSelection().selectAllChildren(cell); return getSelection().toString(); }"
    assert cells.count()
    for cell in cells.all():
        assert cell.evaluate(selected).strip("\n") in source


def test_a_broken_line_is_marked_and_no_other(open_page: Callable[..., Page]) -> None:
    page = open_page("my_data.html", viewport=PHONE)
    lines = page.locator(".cell_input .line").evaluate_all(
        """all => all.map(line => {
          const { lineHeight } = getComputedStyle(line);
          const arrows = getComputedStyle(line, "::before").height;
          return [line.clientHeight, parseFloat(arrows)].map(height => Math.round(height / parseFloat(lineHeight)));
        })"""
    )
    assert any(rows > 1 for rows, _marked in lines)
    assert [(rows, marked) for rows, marked in lines if rows and marked != rows - 1] == []


def test_outputs_offer_no_copying(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page()
    for article in site.articles:
        page.goto(article)
        code = page.locator("div.cell_input pre, div.not-run pre, div.at-8b-python pre").count()
        expect(page.locator("button.copybtn")).to_have_count(code)
        assert page.locator(".cell_output button.copybtn").count() == 0


def test_logs_are_folded_unless_they_tell_of_an_error(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page()
    for article in site.articles:
        page.goto(article)
        for log in page.locator(".cell_output .stderr").all():
            text = (log.locator("pre").text_content() or "").rstrip("\n")
            folded = log.evaluate("log => Boolean(log.closest('details'))")
            told = re.search("Error|Exception|Traceback", text) and text.count("\n") < 40
            assert folded == (not told), f"{article}: {text[:200]}"
        for output in page.locator(".cell_output .stream:not(details *)").all():
            assert (output.locator("pre").text_content() or "").rstrip("\n").count("\n") < 40, article


def test_dark_mode_follows_the_system(open_page: Callable[..., Page]) -> None:
    assert darkness(open_page("index.html", color_scheme="light")) < 0.1
    assert darkness(open_page("index.html", color_scheme="dark")) > 0.8
    assert darkness(open_page("index.html", color_scheme="dark", java_script_enabled=False)) > 0.8


def test_dark_mode_can_be_switched_and_is_remembered(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("index.html", color_scheme="light")
    switch = page.get_by_role("button", name="深色")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    assert darkness(page) > 0.8
    expect(switch).to_have_attribute("aria-pressed", "true")
    page.goto(f"en/{site.articles[-1]}")  # in the other language, too
    assert darkness(page) > 0.8
    page.get_by_role("button", name="Dark").click()
    assert darkness(page) < 0.1
    page.emulate_media(color_scheme="dark")  # who came back to what the system says follows it again
    assert darkness(page) > 0.8


def test_a_chosen_scheme_holds_before_anything_is_drawn(open_page: Callable[..., Page]) -> None:
    page = open_page("index.html", color_scheme="light")
    page.get_by_role("button", name="深色").click()
    page.add_init_script(SCHEME_OF_FIRST_BODY)
    page.reload()
    assert page.evaluate("window.firstMedia") == "screen"


def test_keyboard_skips_the_menu(open_page: Callable[..., Page]) -> None:
    page = open_page("index.html")
    page.keyboard.press("Tab")
    expect(page.locator(".skip-link")).to_be_focused()
    expect(page.locator(".skip-link")).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_keyboard_reaches_search_and_switches(open_page: Callable[..., Page]) -> None:
    page = open_page("index.html", viewport=DESKTOP)
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('name') || document.activeElement.className"))
    assert {"q", "language", "scheme-switch", "skip-link"} <= reached


def test_keyboard_opens_a_fold(open_page: Callable[..., Page]) -> None:
    page = open_page("tokenizer.html")
    fold = page.locator(".run-record details")
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(fold).to_have_attribute("open", "")
    expect(fold.locator("li").first).to_be_visible()


def test_what_scrolls_inside_itself_can_be_reached_by_keyboard(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(viewport=PHONE)
    scrolling = 0
    for article in site.articles:
        page.goto(article)
        page.wait_for_function(ALL_REACHABLE)
        scrolling += page.evaluate(f"{SCROLLING}.length")
    assert scrolling


def test_the_menu_of_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page("index.html", viewport=PHONE)
    button, menu = page.locator(".menu-button"), page.locator(".wy-nav-side")
    expect(menu).not_to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(button).to_be_focused()  # a closed menu is not in the way
    page.keyboard.press("Enter")
    expect(menu).to_be_visible()
    expect(button).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    expect(button).to_be_focused()


def test_previous_and_next_follow_the_contents(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("index.html")
    seen = {"index.html"}
    while page.locator('a[rel="next"]').count():
        left = page.url
        page.locator('a[rel="next"]').click()
        page.wait_for_url(
            lambda url, left=left: url != left
        )  # a click does not wait, and a page half loaded has no links
        seen.add(page.url.removeprefix(site.url))
    assert seen == set(site.articles)
