"""The notebooks for download: the page's prose between the file's cells, to be run in any Jupyter."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from built_site import ROOT, Site
from markdown_it import MarkdownIt
from markdown_it.token import Token
from nbclient import NotebookClient
from nbformat import NotebookNode

from engine.values.example import Example, discover

EXAMPLES = discover(ROOT / "examples")
FOLDERS = ["", "en/"]
HAN = re.compile(r"[\u3400-\u9fff]")
SYNTAX = re.compile(r":[\w-]+:`|^\.\. |\*\*|\|$", re.MULTILINE)  # of rst, and Markdown that was not understood


def notebook(site: Site, example: Example, folder: str = "") -> NotebookNode:
    return nbformat.read(site.folder / f"{folder}examples/{example.path.stem}.ipynb", as_version=4)


def named(name: str) -> Example:
    return next(example for example in EXAMPLES if example.name == name)


def prose(book: NotebookNode) -> list[str]:
    return [cell.source for cell in book.cells if cell.cell_type == "markdown"]


def printed(book: NotebookNode) -> str:
    outputs = (output for cell in book.cells for output in cell.get("outputs", ()))
    return "".join(output.text for output in outputs if output.get("name") == "stdout")


def tokens(text: str) -> Iterator[Token]:
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_its_code_is_the_files_in_order_with_the_outputs_of_the_run(site: Site, example: Example) -> None:
    both = [[cell for cell in notebook(site, example, each).cells if cell.cell_type == "code"] for each in FOLDERS]
    assert both[0] == both[1]
    magic = "%%bash\n" if example.path.suffix == ".sh" else ""
    assert [cell.source for cell in both[0]] == [magic + cell.source for cell in example.cells]


@pytest.mark.parametrize("folder", FOLDERS)
def test_prose_is_markdown_in_the_language_of_its_page(site: Site, folder: str) -> None:
    for example in EXAMPLES:
        text = "\n\n".join(prose(notebook(site, example, folder)))
        assert len(text) > 400, example.name
        words = "".join(token.content for token in tokens(text) if token.type == "text")
        assert not SYNTAX.search(words), (example.name, SYNTAX.search(words))
        assert not [token.content for token in tokens(text) if token.type.startswith("html")], example.name
        links = [str(token.attrs["href"]) for token in tokens(text) if token.type == "link_open"]
        assert [link for link in links if not link.startswith("http")] == [], example.name
        for link in links:
            if link.startswith(site.url):
                assert (site.folder / link.removeprefix(site.url).partition("#")[0]).is_file(), (example.name, link)
        share = len(HAN.findall(words)) / len(words)
        assert share < 0.01 if folder else share > 0.1, (example.name, share)


@pytest.mark.parametrize("name", [example.name for example in EXAMPLES if example.path.suffix == ".sh"])
def test_cells_of_a_shell_script_need_nothing_of_each_other(name: str) -> None:
    """Each is a bash of its own in the notebook."""
    for cell in named(name).cells:
        exported = set(re.findall(r"^export (\w+)", cell.source, re.MULTILINE))
        assert exported <= set(re.findall(r"^unset (\w+)", cell.source, re.MULTILINE)), cell.name


def test_a_cell_follows_what_its_page_says_before_it(site: Site) -> None:
    cells = notebook(site, named("lora.py")).cells
    assert "# LoRA\n" in cells[0].source and "lora.html" in cells[0].source
    before = {cell.metadata["title"]: cells[at - 1].source for at, cell in enumerate(cells) if cell.cell_type == "code"}
    rst = (ROOT / "docs/lora.rst").read_text(encoding="utf-8").partition(".. cells:: lora.py before")[0]
    assert rst.rstrip().rpartition("\n\n")[2] == before["before"]
    text = "\n".join(prose(notebook(site, named("lora_memory.py"))))
    assert "## 训练" not in text  # a section that shows another example only


@pytest.mark.parametrize(("name", "folder"), [("tokenizer.py", ""), ("model_modelscope_cli.sh", "en/")])
def test_it_runs_from_top_to_bottom_in_an_empty_folder(site: Site, name: str, folder: str, tmp_path: Path) -> None:
    book = notebook(site, named(name), folder)
    before = printed(book)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = []
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert printed(book) == before and before
