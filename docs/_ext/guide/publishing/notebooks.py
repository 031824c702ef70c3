"""Examples for download: the script as it is, and a notebook that carries the prose of its page, in its language.

The notebook's code cells are those of the file, in the file's order, with the outputs of the run that the page shows.
Before a cell stands what its page says before it; the sections of the page that show other examples only are left out.
A shell script becomes cells of ``%%bash``, for Jupyter comes with a kernel for Python alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from docutils import nodes
from docutils.nodes import Element
from nbformat import NotebookNode
from nbformat.v4 import writes
from sphinx.application import Sphinx
from sphinx.locale import get_translation

from engine.values.example import Example
from engine.values.run import Run

from ..addresses import site_url
from ..building.kept import Kept
from ..runs.badge import LICENSE, device_text, facts_text
from ..runs.execution import example_of, runs_of_build, shown_cells
from ..translation.languages import LANGUAGES
from .llms import in_reading_order
from .markdown import WHOLE, Markdown, Resolve, escaped

_ = get_translation("guide")

BEGINNING, END = "^", "$"
NO_PROSE = {"run-record"}  # classes of what a notebook says itself


@dataclass(frozen=True)
class Piece:
    """Of a page, in its order: some prose, or a cell of an example."""

    section: int
    """Which of the page's; 0 is what stands before the first."""
    prose: str = ""
    example: str = ""
    cell: str = ""


def addresses(app: Sphinx, page: str) -> Resolve:
    """What the page's links are seen from anywhere; those of a site of which nobody knows where it is lead nowhere."""
    here = site_url() and urljoin(site_url() + LANGUAGES[app.config.language].folder, f"{page}.html")

    def resolve(link: str) -> str:
        return link if urlsplit(link).netloc else urljoin(here, link) if here else ""

    return resolve


def pieces(node: Element, markdown: Markdown, level: int = 1, section: int = 0) -> Iterator[Piece]:
    """The page, taken apart at its cells."""
    for child in node.children:
        if isinstance(child, nodes.section):
            section += level == 2
            yield from pieces(child, markdown, level + 1, section)
        elif isinstance(child, nodes.title):
            yield Piece(section, f"{'#' * (level - 1)} {markdown.line(child.children)}")
        elif isinstance(child, nodes.container) and child.get("nb_element") == "cell_code":
            yield Piece(section, _elsewhere(child, markdown), child["example"], child["cell_metadata"]["title"])
        elif isinstance(child, nodes.container) and not WHOLE & set(child["classes"]):
            if not NO_PROSE & set(child["classes"]):
                yield from pieces(child, markdown, level, section)
        elif prose := markdown.block(child):
            yield Piece(section, prose)


def _elsewhere(cell: nodes.container, markdown: Markdown) -> str:
    """How a notebook of another example tells of this cell: its code and what it printed, not to be run there."""
    return f"`{cell['example']}`\n\n{markdown.blocks(cell.children)}"


def prose_of(app: Sphinx, doctree: nodes.document) -> dict[str, dict[str, str]]:
    """For each example that the page shows, prose by the cell it stands before; see :func:`_by_cell`."""
    page = app.env.path2doc(doctree["source"]) or ""
    if page.startswith("examples/"):
        return {}
    found = list(pieces(doctree, Markdown(addresses(app, page))))
    shown = list(dict.fromkeys(piece.example for piece in found if piece.example))
    return {each: _by_cell(_of_example(found, each, each == shown[0]), each) for each in shown}


def _of_example(found: list[Piece], example: str, leading: bool) -> Iterator[Piece]:
    """The beginning, the sections with its cells, and for the page's first example those that show no cell at all."""
    shown: dict[int, set[str]] = {}
    for piece in found:
        shown.setdefault(piece.section, set()).update({piece.example} - {""})
    for piece in found:
        examples = shown[piece.section]
        if piece.section == 0 or example in examples or (leading and not examples):
            yield piece


def _by_cell(found: Iterable[Piece], example: str) -> dict[str, str]:
    """Prose by the cell that it stands before; that of the beginning and of the end by names no cell can have."""
    prose: dict[str, list[str]] = {BEGINNING: [], END: []}
    waiting: list[str] = []
    for piece in found:
        if piece.example == example:
            if piece.cell not in prose:
                prose[piece.cell], waiting = waiting, []
        elif piece.section == 0 and len(prose) == 2:  # before any cell
            prose[BEGINNING].append(piece.prose)
        else:
            waiting.append(piece.prose)
    prose[END] = waiting
    return {cell: "\n\n".join(parts) for cell, parts in prose.items()}


PROSE = Kept("notebooks", prose_of)


def page_of(app: Sphinx, example: str) -> str:
    """The page that tells of an example: of those that show it the one with most of its cells, the front page last."""
    order = {page: place for place, page in enumerate(in_reading_order(app.env, app.config.root_doc))}
    shown = {
        page: len({cell for name, cell, _line in cells if name == example}) for page, cells in shown_cells(app.env)
    }
    root = app.config.root_doc
    return max(shown, key=lambda page: (shown[page], page != root, -order.get(page, len(order))))


def notebook(example: Example, run: Run, prose: Mapping[str, str], head: str) -> NotebookNode:
    """The executed cells with prose between them, to be run in any Jupyter."""
    written = deepcopy(run.notebook)
    shell = example.path.suffix == ".sh"
    cells: list[NotebookNode] = []
    for cell, named in zip(written.cells[1:], example.cells, strict=True):
        text = [] if cells else [head, prose.get(BEGINNING, "")]
        text.append(prose.get(named.name, ""))
        if named.needs:
            text.append("> " + _("这段代码需要 %s。") % ", ".join(named.needs))
        cells += _markdown(text, f"{cell.id}-prose")
        cell.source = f"%%bash\n{cell.source}" if shell else cell.source
        cells.append(cell)
    written.cells = [*cells, *_markdown([prose.get(END, "")], "end")]
    written.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    written.metadata["language_info"] = {"name": "python"}
    written.metadata["license"] = LICENSE
    written.metadata["run_record"] = run.record.to_json()
    return written


def _markdown(parts: Iterable[str], cell: str) -> list[NotebookNode]:
    text = "\n\n".join(filter(None, parts))
    return [NotebookNode(cell_type="markdown", id=cell, metadata={}, source=text)] if text else []


def _head(app: Sphinx, page: str, example: Example, run: Run) -> str:
    """Where this comes from, what its outputs were computed on, and what has to lie beside it."""
    title, resolve = app.env.titles[page].astext(), addresses(app, page)
    said = [
        _("这个笔记本是 %(page)s 一页的文字和 `%(file)s` 的全部代码。")
        % {"page": _linked(escaped(title), resolve(f"{page}.html")), "file": example.name},
        _("下面的输出来自构建网站时的那次运行：%s。") % f"{device_text(run.record)} · {facts_text([run.record])}",
    ]
    if example.companions:
        beside = (_linked(f"`{path.name}`", resolve(f"examples/{path.name}")) for path in example.companions)
        said.append(_("和它放在一起：%s。") % ", ".join(beside))
    return "> " + "\n> ".join(said)


def _linked(text: str, address: str) -> str:
    return f"[{text}](<{address}>)" if address else text


def write(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "examples"
    folder.mkdir(exist_ok=True)
    for name, run in runs_of_build().items():
        if example := example_of(name):
            page = page_of(app, name)
            prose = PROSE.of(app, page).get(name, {})
            (folder / name).write_text(example.text, encoding="utf-8")
            for path in example.companions:
                (folder / path.name).write_bytes(path.read_bytes())
            told = notebook(example, run, prose, _head(app, page, example, run))
            (folder / f"{example.path.stem}.ipynb").write_text(f"{writes(told)}\n", encoding="utf-8")


def connect(app: Sphinx) -> None:
    PROSE.connect(app)
    app.connect("build-finished", write)
