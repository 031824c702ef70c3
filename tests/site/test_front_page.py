"""The front page: for whom this is, ways in, an error that is pasted, code that a reader can read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from built_site import PHONE, SMALL_PHONE, Site
from playwright.sync_api import Page, expect

TRACEBACK = """Traceback (most recent call last):
  File "/home/me/train.py", line 41, in <module>
    trainer.train()
torch.OutOfMemoryError: NPU out of memory. Tried to allocate 2.00 GiB (NPU 0; 60.97 GiB total capacity)"""
WAYS = ["my_data", "install", "migration", "laptop"]


SCREENS = [{"width": 1280, "height": 720}, PHONE, SMALL_PHONE]


@pytest.mark.parametrize("screen", SCREENS, ids=["desktop", "phone", "small phone"])
@pytest.mark.parametrize("folder", ["", "en/"])
def test_the_ways_in_are_on_the_first_screen(open_page: Callable[..., Page], folder: str, screen: object) -> None:
    """Whole, and in letters that are wider than those of any font."""
    page = open_page(f"{folder}index.html", viewport=screen, wider_letters=True)
    for way in WAYS:
        expect(page.locator(f'.routes a[href="{way}.html"]')).to_be_in_viewport(ratio=1)
    expect(page.locator(".error-box textarea")).to_be_in_viewport(ratio=1)
    assert page.locator(".run-record").count() == 0


@pytest.mark.parametrize("folder", ["", "en/"])
def test_a_pasted_traceback_leads_to_its_entry(open_page: Callable[..., Page], folder: str) -> None:
    page = open_page(f"{folder}index.html")
    page.locator(".error-box textarea").fill(TRACEBACK)
    page.locator(".error-box button").click()
    page.locator("#search-results .search > li > a").first.click()
    expect(page.get_by_role("heading", name="NPU out of memory", exact=False).first).to_be_in_viewport()


def test_progress_and_warnings_are_folded_and_errors_are_not(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    for article in site.articles:
        page.goto(article)
        shown = page.locator(".cell_output .stderr pre:visible").all_inner_texts()
        assert (article, [text for text in shown if "%|" in text and "Error" not in text]) == (article, [])


SECTION_OF_SERVING = """
[...document.querySelectorAll(".cell_input")]
  .find(cell => /"serve"[^]*OpenAI/.test(cell.textContent))
  .closest("section").id
"""


@pytest.mark.parametrize("folder", ["", "en/"])
def test_from_the_front_page_to_a_served_model_in_six_clicks(open_page: Callable[..., Page], folder: str) -> None:
    """As a reader goes who has to install first: by the links of the pages, to a model that answers over HTTP."""
    page = open_page(f"{folder}index.html")
    clicks = 0

    def follow(link: str) -> None:
        nonlocal clicks
        clicks += 1
        page.locator(link).first.click()

    follow('.routes a[href="install.html"]')
    expect(page.locator("#main pre", has_text="pip install").first).to_be_visible()
    follow('.wy-menu-vertical a[href="my_data.html"]')
    expect(page.locator(".run-record a.file", has_text="my_data.py")).to_be_visible()
    section = page.evaluate(SECTION_OF_SERVING)
    follow(f'.wy-menu-vertical a[href="#{section}"]')
    served = page.locator(f'section[id="{section}"] .cell')
    expect(served).to_be_in_viewport()
    expect(served.locator(".cell_output")).to_contain_text("->")
    assert clicks <= 6
