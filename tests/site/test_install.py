"""Whoever has a CANN finds the commands for it without scrolling."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from sets import VersionSet, every_set

SCREEN = {"width": 1440, "height": 900}
OF_CANN = [each for each in every_set().values() if each.name.startswith("cann-")]


@pytest.mark.parametrize("chosen", OF_CANN, ids=lambda each: each.name)
def test_the_commands_of_a_set_are_on_the_first_screen(open_page: Callable[..., Page], chosen: VersionSet) -> None:
    page = open_page("install.html", viewport=SCREEN)
    page.locator("label.sd-tab-label", has_text=f"CANN {chosen.cann}").first.click()
    commands = page.locator(".not-run pre:visible").first
    expect(commands).to_contain_text(f"torch_npu=={chosen.pins['torch_npu']}")
    box = commands.bounding_box()
    assert box and box["y"] >= 0 and box["y"] + box["height"] <= SCREEN["height"]
