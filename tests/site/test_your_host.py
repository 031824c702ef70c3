"""A reader says once what his host is, and every page follows."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from built_site import ROOT, SMALL_PHONE, Site
from playwright.sync_api import Page, expect

from engine.values.example import discover, parsed
from engine.values.rehearsal import discover as discover_rehearsals
from sets import every_set

CHOSEN = {"cann": "cann-8.5", "host": "x86_64", "cards": "8", "hub": "modelscope", "model": "8b"}
KEY = "sphinx-design-tab-id-"
NO_STORAGE = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('', 'SecurityError'); }})"
CLIPBOARD = ["clipboard-read", "clipboard-write"]


def choose(page: Page, **chosen: str) -> None:
    """As a reader does."""
    if page.locator(".your-host").get_attribute("open") is None:
        page.locator(".your-host > summary").click()
    for name, value in chosen.items():
        page.locator(f'.your-host select[name="{name}"]').select_option(value)


def with_8b(cell: str, example: str = "lora.py") -> str:
    """The text of a cell as it was rehearsed."""
    rehearsal = discover_rehearsals(discover(ROOT / "examples"))[example]
    return next(each.source for each in parsed(rehearsal.example.path, rehearsal.shown).cells if each.name == cell)


@pytest.mark.parametrize("folder", ["", "en/"])
def test_what_is_chosen_on_one_page_holds_on_all(open_page: Callable[..., Page], folder: str) -> None:
    page = open_page("tokenizer.html")
    choose(page, **CHOSEN)
    page.goto(f"{folder}install.html")
    pins = every_set()["cann-8.5"].pins
    expect(page.locator(".not-run pre:visible").first).to_contain_text(f"torch_npu=={pins['torch_npu']}")
    expect(page.locator(".not-run pre:visible").first).to_contain_text("https://download.pytorch.org/whl/cpu")
    expect(page.locator(".your-host .chosen")).to_contain_text("CANN 8.5.0 · x86_64 · ")
    page.goto(f"{folder}model.html")
    expect(page.locator(".by-host pre:visible").first).to_contain_text("modelscope download")
    page.goto(f"{folder}several_cards.html")
    notes = page.locator(".of-cards:visible")
    expect(notes).to_have_count(2)
    expect(notes.first).to_contain_text("--nproc_per_node 8")
    page.goto(f"{folder}distributed.html")
    expect(page.locator(".at-8b .verdict.yours")).to_contain_text(
        "torchrun --standalone --nproc_per_node 8 fsdp_train.py"
    )
    page.goto(f"{folder}verification.html")
    expect(page.locator("tr.yours").first).to_contain_text("sets/cann-8.5.txt")


def test_with_the_8b_a_cell_has_the_lines_that_were_rehearsed(open_page: Callable[..., Page]) -> None:
    page = open_page("lora.html", permissions=CLIPBOARD)
    cell = page.locator(".cell", has=page.locator(".with-8b")).first
    expect(cell.locator("pre:visible").first).to_contain_text("SmolLM2")
    choose(page, model="8b")
    code = cell.locator(".cell_input pre:visible")
    expect(code).to_have_count(1)
    assert (code.text_content() or "").strip() == with_8b("data")
    assert code.locator(".hll").all_inner_texts() == ['model_id = "meta-llama/Meta-Llama-3-8B-Instruct"']
    cell.locator(".with-8b.from-hub .highlight").hover()
    cell.locator(".with-8b.from-hub button.copybtn").click()
    expect(cell.locator(".with-8b.from-hub button.copybtn.success")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()").strip() == with_8b("data")
    choose(page, hub="modelscope")
    assert code.locator(".hll").all_inner_texts() == ['model_id = "Meta-Llama-3-8B-Instruct"']
    choose(page, model="small")
    expect(cell.locator(".with-8b:visible")).to_have_count(0)
    expect(code).to_contain_text("SmolLM2")


@pytest.mark.parametrize(("cards", "shown"), [("8", 1), ("2", 0), ("1", 0)])
def test_a_command_has_his_cards_where_its_script_was_rehearsed_on_them(
    open_page: Callable[..., Page], cards: str, shown: int
) -> None:
    page = open_page("distributed.html")
    choose(page, cards=cards)
    commands = page.locator(".cell_input.with-cards:visible")
    expect(commands).to_have_count(shown)
    if shown:
        expect(commands).to_contain_text("torchrun --standalone --nproc_per_node 8 fsdp_train.py")
        cell = page.locator(".cell", has=commands)
        assert cell.locator(".cell_input:visible").count() == 1


def test_a_cell_says_what_was_changed_for_the_rehearsal_alone(open_page: Callable[..., Page]) -> None:
    rehearsal = discover_rehearsals(discover(ROOT / "examples"))["my_data.py"]
    page = open_page("my_data.html")
    choose(page, model="8b")
    said = page.locator(".with-8b.from-hub > p").first
    line = "pad_to_multiple_of=max_length"
    assert line in rehearsal.text and line not in rehearsal.shown
    expect(said.locator("code", has_text=line)).to_be_visible()
    expect(said).to_contain_text("训练只走前几步")


def test_where_the_8b_does_not_fit_its_lines_are_not_put_into_cells(open_page: Callable[..., Page]) -> None:
    page = open_page("distributed.html")
    shown = page.locator(".cell", has=page.locator(".with-8b")).all_inner_texts()
    assert not [text for text in shown if "AutoModelForSequenceClassification" in text]


def test_a_tab_that_is_opened_is_chosen_everywhere(open_page: Callable[..., Page]) -> None:
    page = open_page("install.html")
    page.locator("label.sd-tab-label", has_text="CANN 9.0").first.click()
    expect(page.locator('.your-host select[name="cann"]')).to_have_value("cann-9.0")
    page.goto("en/verification.html")
    expect(page.locator("tr.yours").first).to_contain_text("sets/cann-9.0.txt")
    choose(page, cann="")
    expect(page.locator("tr.yours")).to_have_count(0)


def test_without_a_script_every_variant_is_there_with_its_name(open_page: Callable[..., Page]) -> None:
    page = open_page("install.html", java_script_enabled=False)
    expect(page.locator(".your-host")).to_be_hidden()
    for label in page.locator(".sd-tab-label").all():
        expect(label).to_be_visible()
    commands = page.locator(".sd-tab-content .not-run pre")
    assert commands.count() == page.locator(".sd-tab-content .not-run pre:visible").count() == 12
    tops = page.locator(".sd-tab-label, .sd-tab-content pre").evaluate_all(
        "all => all.map(box => box.getBoundingClientRect().top)"
    )
    assert tops == sorted(tops)  # each name above what it is the name of
    page.goto("model.html")
    expect(page.locator(".by-host pre", has_text="modelscope download")).to_be_visible()


def test_on_paper_every_variant_is_there_and_cells_are_as_they_ran(open_page: Callable[..., Page]) -> None:
    page = open_page("install.html")
    choose(page, **CHOSEN)
    page.emulate_media(media="print")
    assert page.locator(".sd-tab-content .not-run pre:visible").count() == 12
    page.goto("lora.html")
    expect(page.locator(".cell pre:visible", has_text="SmolLM2").first).to_be_visible()
    expect(page.locator(".with-8b:visible")).to_have_count(0)


def test_a_script_that_has_all_cards_in_one_process_is_not_launched(open_page: Callable[..., Page]) -> None:
    commands = open_page("several_cards.html").locator(".at-8b .verdict code").all_inner_texts()
    assert commands == ["torchrun --standalone --nproc_per_node 2 lora_cards.py"]


def test_it_is_chosen_by_keyboard(open_page: Callable[..., Page]) -> None:
    page = open_page("several_cards.html")
    page.locator(".your-host > summary").focus()
    for key in ("Enter", "Tab", "Tab", "Tab", "8"):  # CANN, machine, cards: select by typing
        page.keyboard.press(key)
    expect(page.locator('.your-host select[name="cards"]')).to_have_value("8")
    expect(page.locator(".of-cards:visible").first).to_contain_text("--nproc_per_node 8")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_what_is_chosen(open_page: Callable[..., Page], scheme: str) -> None:
    page = open_page("lora.html", color_scheme=scheme)
    choose(page, **CHOSEN)
    for path in ("several_cards.html", "model.html", "lora.html"):
        page.goto(path)
        choose(page)
        violations = Axe().run(page, context={"exclude": [["table"]]}).response["violations"]
        assert [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in violations] == [], path


def test_where_nothing_can_be_kept_it_holds_for_the_page(open_page: Callable[..., Page]) -> None:
    page = open_page("index.html")
    page.add_init_script(NO_STORAGE)
    page.goto("lora.html")
    choose(page, model="8b")
    expect(page.locator(".with-8b:visible").first).to_be_visible()


def test_what_is_no_longer_offered_is_forgotten(open_page: Callable[..., Page]) -> None:
    page = open_page("index.html")
    page.evaluate(f"localStorage.setItem('{KEY}cann', 'cann-7.0')")
    page.goto("install.html")
    expect(page.locator('.your-host select[name="cann"]')).to_have_value("")
    assert page.evaluate(f"localStorage.getItem('{KEY}cann')") is None
    expect(page.locator(".not-run pre:visible").first).to_be_visible()


def test_on_a_phone_it_is_in_the_menu(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page("lora.html", viewport=SMALL_PHONE, wider_letters=True)
    page.locator(".menu-button").click()
    choose(page, model="8b")
    page.locator(".menu-button").click()
    expect(page.locator(".with-8b.from-hub").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= SMALL_PHONE["width"]
