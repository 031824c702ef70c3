"""The same examples in the form of each tool: percent files with pages, a gallery, notebooks, plain scripts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from benchmarks.measure import EXECUTIONS
from engine.values.example import Example, read

SOURCES = Path(__file__).with_name("examples")
USUAL = ("training", "tokenizer", "training", "picture")
COUNT = f'with open({str(EXECUTIONS)!r}, "a") as file:\n    file.write("ran\\n")'
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
PICTURE = "savefig"


@cache
def source(kind: str) -> Example:
    return read(SOURCES / f"{kind}.py")


@dataclass(frozen=True)
class Page:
    """One example and the prose around its cells."""

    kind: str
    """Name of a file in ``benchmarks/examples``."""
    number: int
    seed: int
    """What makes its code differ from that of others of its kind."""
    prose: str = "The next step is"

    @property
    def name(self) -> str:
        return f"{self.kind}_{self.number:03}"

    @property
    def title(self) -> str:
        return f"{source(self.kind).title} {self.number}"

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Name and code of each; the last one tells that the example was executed."""
        cells = [(cell.name, cell.source) for cell in source(self.kind).cells]
        return [*((name, code.replace("seed = 0", f"seed = {self.seed}")) for name, code in cells), ("count", COUNT)]

    def sentence(self, cell: str) -> str:
        return f"{self.prose} *{cell}*."


def pages(count: int, kinds: Sequence[str] = USUAL) -> list[Page]:
    """So many pages, the kinds taking turns."""
    return [Page(kinds[number % len(kinds)], number, seed=number) for number in range(count)]


def write_guide(folder: Path, pages: Sequence[Page]) -> None:
    """``examples/*.py`` in percent format and ``docs/*.rst``, as the guide has them."""
    docs = folder / "docs"
    docs.mkdir(parents=True, exist_ok=True)
    if not (docs / "examples").is_symlink():
        (docs / "examples").symlink_to("../examples")
    for page in pages:
        write(folder / f"examples/{page.name}.py", percent(page, f'"""{page.title}"""'))
        shown = [f".. cells:: {page.name}.py {name}\n{alt(code)}" for name, code in page.cells]
        write(docs / f"{page.name}.rst", rst(page, shown))
    write(docs / "index.rst", index(page.name for page in pages))


def write_prose(folder: Path, pages: Sequence[Page]) -> None:
    """The same pages for plain Sphinx: code is shown and nothing executed."""
    for page in pages:
        write(folder / f"docs/{page.name}.rst", rst(page, [literal(code) for _name, code in page.cells]))
    write(folder / "docs/index.rst", index(page.name for page in pages))
    write_configuration(folder)


def write_gallery(folder: Path, pages: Sequence[Page], parallel: bool | int = False) -> None:
    """Examples as sphinx-gallery reads them, their prose in comments."""
    for page in pages:
        docstring = f'"""\n{underlined(page.title)}\n"""'
        write(folder / f"examples/{page.name}.py", percent(page, docstring, prose=True))
    write(folder / "examples/GALLERY_HEADER.rst", underlined("Gallery"))
    write(folder / "docs/index.rst", index(["auto_examples/index"]))
    gallery = {
        "examples_dirs": "../examples",
        "gallery_dirs": "auto_examples",
        "filename_pattern": r"\.py$",
        "parallel": parallel,
    }
    write_configuration(folder, ["sphinx_gallery.gen_gallery"], sphinx_gallery_conf=gallery)


def write_notebooks(folder: Path, pages: Sequence[Page], mode: str = "auto") -> None:
    """Notebooks not yet executed, as MyST-NB reads them."""
    for page in pages:
        notebook = new_notebook(metadata={"kernelspec": KERNEL}, cells=[new_markdown_cell(f"# {page.title}")])
        for name, code in page.cells:
            notebook.cells += [new_markdown_cell(page.sentence(name)), new_code_cell(code)]
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"  # drawn at random, they would make every notebook another one
        write(folder / f"docs/{page.name}.ipynb", nbformat.writes(notebook))
    write(folder / "docs/index.rst", index(page.name for page in pages))
    options = {"nb_execution_mode": mode, "nb_execution_timeout": 300, "nb_execution_raise_on_error": True}
    write_configuration(folder, ["myst_nb"], **options)


def write_scripts(folder: Path, pages: Sequence[Page]) -> None:
    """Plain files, and one that runs them in turn."""
    for page in pages:
        write(folder / f"{page.name}.py", percent(page, f'"""{page.title}"""'))
    write(folder / "all.sh", "set -e\n" + "".join(f'"$1" {page.name}.py\n' for page in pages))


def write_configuration(folder: Path, extensions: Sequence[str] = (), **options: object) -> None:
    settings = {"extensions": list(extensions), "html_theme": "sphinx_rtd_theme", **options}
    write(folder / "docs/conf.py", "".join(f"{name} = {value!r}\n" for name, value in settings.items()))


def percent(page: Page, docstring: str, prose: bool = False) -> str:
    cells = (
        f"# %%\n# {page.sentence(name)}\n\n{code}\n" if prose else f"# %% {name}\n{code}\n" for name, code in page.cells
    )
    return "\n".join([docstring + "\n", *cells])


def rst(page: Page, shown: Sequence[str]) -> str:
    parts = [underlined(page.title)]
    for (name, _code), part in zip(page.cells, shown, strict=True):
        parts += [page.sentence(name), part]
    return "\n\n".join(parts) + "\n"


def literal(code: str) -> str:
    return ".. code-block:: python\n\n" + "\n".join(f"   {line}".rstrip() for line in code.splitlines())


def alt(code: str) -> str:
    return "   :alt: a picture\n" if PICTURE in code else ""


def index(names: Iterable[str]) -> str:
    return underlined("Index") + "\n.. toctree::\n\n" + "".join(f"   {name}\n" for name in names)


def underlined(title: str) -> str:
    return f"{title}\n{'=' * len(title)}\n"


def write(path: Path, text: str) -> None:
    """Write what differs: a file that stays the same keeps its time."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
