"""The front page: for whom this is, ways in, an error that is pasted, code that a reader can read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from built_site import PHONE, Site
from playwright.sync_api import Page, expect

TRACEBACK = """Traceback (most recent call last):
  File "/home/me/train.py", line 41, in <module>
    trainer.train()
torch.OutOfMemoryError: NPU out of memory. Tried to allocate 2.00 GiB (NPU 0; 60.97 GiB total capacity)"""
WAYS = ["my_data", "install", "migration", "laptop"]


@pytest.mark.parametrize("folder", ["", "en/"])
def test_the_ways_in_are_on_the_first_screen(open_page: Callable[..., Page], folder: str) -> None:
    page = open_page(f"{folder}index.html")
    for way in WAYS:
        expect(page.locator(f'.routes a[href="{way}.html"]')).to_be_in_viewport()
    expect(page.locator(".error-box textarea")).to_be_in_viewport()
    assert page.locator(".run-record").count() == 0


@pytest.mark.parametrize("folder", ["", "en/"])
def test_a_pasted_traceback_leads_to_its_entry(open_page: Callable[..., Page], folder: str) -> None:
    page = open_page(f"{folder}index.html")
    page.locator(".error-box textarea").fill(TRACEBACK)
    page.locator(".error-box button").click()
    page.locator("#search-results .search > li > a").first.click()
    expect(page.get_by_role("heading", name="NPU out of memory", exact=False).first).to_be_in_viewport()


def test_code_is_read_on_a_phone_without_scrolling_sideways(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page(viewport=PHONE)
    wider = "all => all.filter(box => box.scrollWidth > box.clientWidth + 1).map(box => box.textContent.slice(0, 60))"
    for article in site.articles:
        page.goto(article)
        assert (article, page.locator(".cell_input pre").evaluate_all(wider)) == (article, [])


def test_progress_and_warnings_are_folded_and_errors_are_not(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page()
    for article in site.articles:
        page.goto(article)
        shown = page.locator(".cell_output .stderr pre:visible").all_inner_texts()
        assert (article, [text for text in shown if "%|" in text and "Error" not in text]) == (article, [])
