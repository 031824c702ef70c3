"""Search in the theme's own box: the page that is about the query comes first, in both languages."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

import pytest
from built_site import ROOT, Site
from playwright.sync_api import Browser, Page, expect

QUESTIONS = tomllib.loads((ROOT / "tests/site/questions.toml").read_text(encoding="utf-8"))
REPORTS = tomllib.loads((ROOT / "docs/data/field_reports.toml").read_text(encoding="utf-8"))["report"]
INDEX_BYTES = 1_000_000  # of both files that a search loads

CHINESE = {
    "分词器": "tokenizer",
    "词元": "tokenizer",
    "填充": "tokenizer",
    "截断": "tokenizer",
    "生成时填充在左边": "tokenizer",
    "怎么填充长短不一的句子": "tokenizer",
    "数据集": "dataset",
    "attention_mask": "tokenizer",
    "remove_columns": "dataset",
    "星级是否均衡": "dataset",
    "微调": "fine_tuning",
    "评估指标": "fine_tuning",
    "训练参数": "fine_tuning",
    "过拟合": "resuming",
    "compute_metrics": "fine_tuning",
    "训练损失下降说明什么": "fine_tuning",
    "安装": "install",
    "npu-smi": "install",
    "中国大陆怎么下载": "model",
    "访问令牌": "model_huggingface",
    "HF_ENDPOINT": "model_huggingface",
    "ModelScope": "model_modelscope",
    "魔搭": "model_modelscope",
    "下载模型": "model",
    "load_dataset": "dataset",
    "LoRA": "lora",
    "指令微调": "instruction_tuning",
    "继续预训练": "pretraining",
    "导出": "export",
    "流式输出": "inference",
    "混合精度": "precision",
    "梯度累积": "precision",
    "显存": "precision",
    "GradScaler": "precision",
    "断点续训": "resuming",
    "检查点": "resuming",
    "resume_from_checkpoint": "resuming",
    "多卡": "distributed",
    "torchrun": "distributed",
    "HCCL": "distributed",
    "推理": "inference",
    "pipeline": "inference",
    "从 CUDA 迁移": "migration",
    "报错": "troubleshooting",
    "替身": "verification",
    "用自己的数据微调": "my_data",
    "sharegpt": "my_data",
    "alpaca": "my_data",
}
ENGLISH = {
    "attention_mask": "tokenizer",
    "remove_columns": "dataset",
    "compute_metrics": "fine_tuning",
    "LoRA": "lora",
    "install": "install",
    "checkpoint": "resuming",
    "torchrun": "distributed",
    "fine-tune on own data": "my_data",
    "own JSONL": "my_data",
}


def results(page: Page) -> list[str]:
    """Names of the pages found, in the order shown, once the search has ended."""
    page.wait_for_function("document.querySelector('.search-summary')?.textContent")
    return [link.partition("#")[0] for link in sections(page)]


def sections(page: Page) -> list[str]:
    """Where the results lead, as ``page#section``."""
    page.wait_for_function("document.querySelector('.search-summary')?.textContent")
    links = page.locator("#search-results .search > li > a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
    return [unquote(link).replace(".html", "") for link in links]


@pytest.fixture(scope="module")
def search_page(site: Site, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(base_url=site.url)
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(("query", "about"), CHINESE.items())
def test_chinese_finds_the_page_about_it_first(search_page: Page, query: str, about: str) -> None:
    search_page.goto(f"search.html?q={query}")
    assert results(search_page)[:1] == [about]


@pytest.mark.parametrize(("query", "about"), ENGLISH.items())
def test_english_finds_the_page_about_it_first(search_page: Page, query: str, about: str) -> None:
    search_page.goto(f"en/search.html?q={query}")
    assert results(search_page)[:1] == [about]


@pytest.mark.parametrize("folder", ["", "en/"])
def test_a_question_as_it_is_typed_is_answered_by_the_first_result(search_page: Page, folder: str) -> None:
    """It opens at the section, and what it opens is there."""
    wrong = {}
    questions = QUESTIONS["english" if folder else "chinese"]
    for question, answers in questions.items():
        search_page.goto(f"{folder}search.html?q={quote(question)}")
        found = sections(search_page)[:1]
        if not any(place in answers for first in found for place in (first, first.partition("#")[0])):
            wrong[question] = found
    assert wrong == {}


def test_a_result_opens_at_its_section(search_page: Page) -> None:
    search_page.goto("search.html?q=107001")
    search_page.locator("#search-results .search > li > a").first.click()
    heading = search_page.get_by_role("heading", name="error code is 107001")
    expect(heading).to_be_in_viewport()


def test_every_result_has_an_address_on_its_page(site: Site, search_page: Page) -> None:
    search_page.goto("search.html")
    places = search_page.evaluate("searchIndex.units.map(([page, anchor]) => [searchIndex.pages[page], anchor])")
    texts = {page: site.text(f"{page}.html") for page, _anchor in places}
    assert [(page, anchor) for page, anchor in places if anchor and f'id="{anchor}"' not in texts[page]] == []


def test_an_answer_takes_no_time(search_page: Page) -> None:
    """The quickest of several: where many processes share two cores, most of the time is not the search's."""
    durations = []
    for _ in range(8):
        search_page.goto(f"search.html?q={quote('双卡训练时显存不够怎么办')}")
        results(search_page)
        durations += search_page.evaluate("performance.getEntriesByName('search').map(entry => entry.duration)")
    assert min(durations) < 100


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report["text"])
def test_what_people_ran_into_is_found_by_their_words(search_page: Page, report: dict[str, str]) -> None:
    search_page.goto(f"search.html?q={quote(report['text'])}")
    assert report["page"] in results(search_page)[:3]


def test_the_box_of_every_page_searches(open_page: Callable[..., Page]) -> None:
    page = open_page("examples/tokenizer.html")
    box = page.get_by_role("textbox", name="搜索文档")
    box.fill("分词器")
    box.press("Enter")
    assert results(page)[0] == "tokenizer"


def test_a_found_word_is_marked_whole_in_the_excerpt(search_page: Page) -> None:
    search_page.goto("search.html?q=分词器")
    results(search_page)
    expect(search_page.locator("#search-results .context .highlighted").first).to_have_text("分词器")


def test_an_excerpt_shows_the_page_and_not_its_run_record(search_page: Page) -> None:
    search_page.goto("search.html?q=分词器")
    results(search_page)
    expect(search_page.locator("#search-results .context").first).not_to_contain_text("UTC")


def test_nonsense_finds_nothing_and_says_so(search_page: Page) -> None:
    search_page.goto("search.html?q=紫色的大象跳舞")
    assert results(search_page) == []
    expect(search_page.locator(".search-summary")).not_to_be_empty()


@pytest.mark.parametrize(
    ("folder", "question", "word"), [("", "wandb 怎么用", "wandb"), ("en/", "set up slurm", "slurm")]
)
def test_what_the_guide_does_not_know_is_said_with_where_else_to_go(
    search_page: Page, folder: str, question: str, word: str
) -> None:
    search_page.goto(f"{folder}search.html?q={quote(question)}")
    results(search_page)
    expect(search_page.locator(".search-summary")).to_contain_text(word)
    expect(search_page.locator(".search-help a")).to_have_count(3)
    expect(search_page.locator(".search-help")).to_be_visible()
    search_page.goto(f"{folder}search.html?q=LoRA")
    results(search_page)
    expect(search_page.locator(".search-help")).to_be_hidden()


def test_whole_examples_are_no_results(search_page: Page) -> None:
    search_page.goto("search.html?q=tokenizer")
    assert "tokenizer" in results(search_page)
    assert "examples/tokenizer" not in results(search_page)  # each cell is found on its page


def test_what_a_search_loads_is_small(site: Site) -> None:
    for folder in (site.folder, site.folder / "en"):
        files = [folder / "_static/search_index.js", folder / "_static/search.js"]
        assert sum(file.stat().st_size for file in files) < INDEX_BYTES


def test_a_word_in_a_folded_log_is_found_and_opened(site: Site, search_page: Page) -> None:
    """The fold opens on the page that a search leads to."""
    for article in site.articles:
        search_page.goto(article)
        if search_page.locator("details.folded-output").count():
            break
    else:
        pytest.skip("no page has a folded output")
    text = search_page.locator("details.folded-output pre").first.text_content() or ""
    word = max((word for word in text.replace("%", " ").split() if word.isalpha()), key=len)
    search_page.evaluate("word => localStorage.setItem('sphinx_highlight_terms', word)", word.lower())
    search_page.reload()
    expect(search_page.locator("details.folded-output[open] .highlighted").first).to_have_text(word, ignore_case=True)
