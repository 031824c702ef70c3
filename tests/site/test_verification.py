"""The table of runs: whole without a script, narrowed by words and choices with one."""

from __future__ import annotations

import re
from collections.abc import Callable

from built_site import Site
from playwright.sync_api import Page, expect

ROWS = "table.filtered tbody tr"


def test_words_narrow_the_table(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("verification.html")
    examples = len(list((site.folder / "examples").glob("*.ipynb")))
    expect(page.locator(f"{ROWS}:visible")).to_have_count(examples)
    page.get_by_role("searchbox", name="筛选").fill("tokenizer.py 虚拟")
    expect(page.locator(f"{ROWS}:visible")).to_have_count(1)
    page.get_by_role("searchbox", name="筛选").fill("no such example")
    expect(page.locator(f"{ROWS}:visible")).to_have_count(0)


def test_a_stand_in_finds_the_examples_that_used_it(open_page: Callable[..., Page]) -> None:
    page = open_page("en/verification.html")
    page.get_by_role("searchbox", name="Filter").fill("npu-smi")
    shown = page.locator(f"{ROWS}:visible")
    assert 0 < shown.count() < page.locator(ROWS).count()


def test_a_choice_narrows_the_table(open_page: Callable[..., Page]) -> None:
    page = open_page("verification.html")
    choice = page.get_by_role("combobox", name="设备").first
    wanted = choice.locator("option").nth(1).inner_text()
    choice.select_option(index=1)
    devices = page.locator(f"{ROWS}:visible td:nth-child(2)").all_inner_texts()
    assert devices and set(devices) == {wanted}


def test_where_next_to_nothing_is_left_of_a_card_its_box_says_so(site: Site) -> None:
    """A rehearsal knows neither workspaces nor HCCL's buffers: what fits by a hair may not fit a real card."""
    lines = {
        (page, line)
        for page in site.pages
        for line in re.findall(r'<p class="verdict fits.*?</p>', site.text(page), re.DOTALL)
    }
    held = {line: re.search(r"(?:分配器保留|allocator holds) ([\d.]+)[^<]*?([\d.]+)<", line[1]) for line in lines}
    assert all(held.values()), [line for line, found in held.items() if not found][:3]
    tight = {line for line, found in held.items() if found and float(found[2]) - float(found[1]) < 2}
    assert tight == {line for line in lines if 'class="mark tight"' in line[1]}
    assert tight
