"""Files beside the pages: examples to download, and what machines read of the site."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import nbformat
import pytest
from built_site import ROOT, Site, forms
from playwright.sync_api import Page, expect

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.suffix in (".py", ".sh"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_download_is_the_file_that_was_run(site: Site, example: Path) -> None:
    assert (site.folder / "examples" / example.name).read_bytes() == example.read_bytes()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_the_notebook_opens_and_has_outputs(site: Site, example: Path) -> None:
    notebook = nbformat.read(site.folder / f"examples/{example.stem}.ipynb", as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert any(cell.outputs for cell in code)
    assert notebook.metadata["run_record"]["example"] == example.name
    assert notebook.metadata["kernelspec"]["name"] == "python3"  # every Jupyter has it


def test_every_run_record_leads_to_its_downloads(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page()
    for article in site.articles:
        page.goto(article)
        page.locator(".run-record details").evaluate_all("all => all.forEach(fold => fold.open = true)")
        links = page.locator(".run-record a.file").evaluate_all("all => all.map(link => link.href)")
        for link in links:
            response = page.request.get(link)
            assert response.ok, f"{article}: {link}"
            name = link.rpartition("/")[2]
            assert response.body() == (site.folder / "examples" / name).read_bytes()
        commands = page.locator(".run-record .run").all_inner_texts()
        assert len(links) == 2 * len(commands)
        assert all(re.search(r"(python \w+\.py|bash \w+\.sh)", command) for command in commands), commands


@pytest.mark.parametrize(("folder", "title", "home"), [("", "没有这一页", "首页"), ("en/", "No such page", "Home")])
def test_an_address_that_is_not_there_shows_a_page_that_helps(
    site: Site, open_page: Callable[..., Page], folder: str, title: str, home: str
) -> None:
    """At any depth, in the language of the address, which stays in its bar; the site is in a folder of its host."""
    for address in ("lost.html", "some/deep/address.html"):
        page = open_page(folder + address)
        expect(page.get_by_role("heading", level=1)).to_contain_text(title)
        expect(page).to_have_url(f"{site.url}{folder}{address}")
        expect(page.locator("html")).to_have_attribute("lang", "en" if folder else "zh-CN")
        assert page.locator(".scheme-switch").evaluate("button => getComputedStyle(button).borderRadius") == "999px"
        page.locator("#main").get_by_role("link", name=home).click()
        expect(page).to_have_url(f"{site.url}{folder}index.html")


def test_an_old_address_leads_to_where_the_page_is_now(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page("fine-tune.html#part")
    expect(page).to_have_url(f"{site.url}fine_tuning.html#part")


def test_the_sitemap_lists_every_written_page_in_both_languages(site: Site) -> None:
    tree = ET.parse(site.folder / "sitemap.xml")
    places = {found.text for found in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")}
    for article in site.articles:
        assert {site.url + article, f"{site.url}en/{article}"} <= places
    for place in places:
        assert place and (site.folder / place.removeprefix(site.url)).is_file()
    assert f"Sitemap: {site.url}sitemap.xml" in site.text("robots.txt")


def test_a_page_carries_what_messengers_show(site: Site) -> None:
    for page in site.articles:
        text = site.text(page)
        card = dict(re.findall(r'<meta property="(og:[\w:]+)" content="([^"]+)"', text))
        assert card.keys() >= {"og:title", "og:type", "og:description", "og:url", "og:locale", "og:site_name"}, page
        assert card["og:url"] == site.url + page
        assert f'<link rel="canonical" href="{site.url}{page}"' in text
        assert card["og:image"].startswith(site.url)
        picture = (site.folder / card["og:image"].removeprefix(site.url)).read_bytes()
        assert struct.unpack(">II", picture[16:24]) == (1200, 630)


@pytest.mark.parametrize("folder", ["", "en/"])
def test_language_models_get_every_page_with_code_and_outputs(site: Site, folder: str) -> None:
    index, full = site.text(f"{folder}llms.txt"), site.text(f"{folder}llms-full.txt")
    for article in site.articles:
        assert article == "index.html" or f"({site.url}{folder}{article})" in index
    notebook = nbformat.read(site.folder / "examples/tokenizer.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert full.count(cell.source) == 1
            for output in cell.outputs:
                assert output.get("text", "").strip() in full


def test_the_zip_for_offline_reading_holds_the_site(site: Site) -> None:
    name = "llama-on-ascend.zip"
    with zipfile.ZipFile(site.folder / name) as archive:
        packed = {path for path in archive.namelist() if not path.endswith("/")}
    files = {path.relative_to(site.folder).as_posix() for path in site.folder.rglob("*") if path.is_file()}
    assert packed == files - {name}


def test_every_page_offers_the_other_forms_in_its_language(site: Site) -> None:
    for page in site.pages:
        tag, root = ("en", "../") if page.startswith("en/") else ("zh-CN", "")
        root += "../" * page.removeprefix("en/").count("/")
        links = re.findall(r'<a href="([^"]+)" download', site.text(page))
        names = {form: f"llama-on-ascend.{tag}.{form}" for form in ("epub", "pdf")} | {"zip": "llama-on-ascend.zip"}
        assert links == [root + names[form] for form in forms()], page


def test_the_site_works_from_a_folder_on_disk(site: Site, open_page: Callable[..., Page]) -> None:
    page = open_page(f"file://{site.folder}/tokenizer.html")
    page.get_by_role("link", name="English", exact=True).click()
    expect(page).to_have_url(f"file://{site.folder}/en/tokenizer.html")
    page.goto(f"file://{site.folder}/search.html?q=分词器")
    expect(page.locator("#search-results li a").first).to_have_attribute("href", "tokenizer.html")


def test_the_way_from_a_page_to_its_code_leads_to_files_that_are_there(site: Site) -> None:
    for folder in ("", "en/"):
        links = re.findall(
            r'href="https://repository.example/guide/(?:blob|tree)/main/([^"#]+)',
            site.text(f"{folder}architecture.html"),
        )
        assert len(links) > 30
        assert [link for link in links if not (ROOT / link).exists()] == []
        assert "docs/_ext/guide/runs/cells.py" in links
    shown = re.search(
        r"^\.\. cells:: tokenizer\.py", (ROOT / "docs/tokenizer.rst").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert shown and 'add_directive("cells"' in (ROOT / "docs/_ext/guide/runs/cells.py").read_text(encoding="utf-8")
