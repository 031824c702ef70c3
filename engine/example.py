"""An example: one self-contained file in percent format, and its named cells."""

from __future__ import annotations

import ast
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jupytext
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from engine import secrets

SUFFIXES = (".py", ".sh")
MARKER = re.compile(r"^# %%[ \t]*(?P<name>[\w-]*)", re.MULTILINE)


class ExampleError(ValueError):
    """An example that can not be read; the message begins with ``file:line``."""


@dataclass(frozen=True)
class Cell:
    """A block of code between two ``# %% name`` markers."""

    name: str
    source: str
    line: int
    """Line of the file on which the source begins, counted from 1."""


@dataclass(frozen=True)
class Example:
    """A file that readers copy; ``python FILE`` or ``bash FILE`` runs it as well."""

    path: Path
    text: str
    title: str
    """First line of the docstring, or of the leading comment of a shell script."""
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def language(self) -> str:
        """The kernel it needs, ``python3`` or ``bash``."""
        return {".py": "python3", ".sh": "bash"}[self.path.suffix]

    @property
    def companions(self) -> tuple[Path, ...]:
        """Neighbours that the text names: they travel with the example into its working folder."""
        siblings = (path for path in sorted(self.path.parent.iterdir()) if path.is_file() and path != self.path)
        return tuple(path for path in siblings if re.search(rf"(?<![\w.-]){re.escape(path.name)}\b", self.text))

    def notebook(self) -> NotebookNode:
        """The cells as a notebook not yet executed, its first cell the title."""
        notebook = _parse(self.path, self.text)
        notebook.metadata["kernelspec"] = {
            "name": self.language,
            "language": self.language,
            "display_name": self.language,
        }
        notebook.metadata["language_info"] = {"name": self.language, "pygments_lexer": self.language}
        notebook.cells[0] = new_markdown_cell(f"# {self.title}")
        for index, cell in enumerate(notebook.cells):
            cell.id = f"cell-{index}"  # jupytext draws them at random; equal sources shall give equal notebooks
        for cell, named in zip(notebook.cells[1:], self.cells, strict=True):
            cell.metadata["title"] = named.name
            cell.source = named.source
        return notebook


def read(path: Path) -> Example:
    """Read an example, or raise :class:`ExampleError` saying which line to mend."""
    text = path.read_text(encoding="utf-8")
    notebook = _parse(path, text)
    markers = list(MARKER.finditer(text))
    lines = [text.count("\n", 0, marker.start()) + 1 for marker in markers]
    title = _title(path, text)
    if not title:
        raise ExampleError(f"{path}:1: begin with the title, as a docstring (in a shell script: as a comment)")
    if not markers:
        raise ExampleError(f"{path}:1: no cell found; begin one with a line '# %% name'")
    if len(notebook.cells) != len(markers) + 1:
        raise ExampleError(f"{path}:1: only the title may stand before the first '# %% name'")
    if findings := secrets.find(text):
        raise ExampleError(f"{path}:{findings[0].line}: this {findings[0]}; take it out of the file")
    names = [marker["name"] for marker in markers]
    for line, name in zip(lines, names, strict=True):
        if not name:
            raise ExampleError(f"{path}:{line}: this cell has no name; write '# %% name'")
        if Counter(names)[name] > 1:
            raise ExampleError(f"{path}:{line}: two cells are called {name!r}")
    cells = (
        Cell(name, cell.source.strip("\n"), _first_code_line(text, line))
        for name, cell, line in zip(names, notebook.cells[1:], lines, strict=True)
    )
    return Example(path, text, title, tuple(cells))


def discover(folder: Path) -> list[Example]:
    """All examples of a folder, in order of their names."""
    return [read(path) for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]


def _parse(path: Path, text: str) -> NotebookNode:
    return jupytext.reads(text, fmt={"extension": path.suffix, "format_name": "percent"})


def _title(path: Path, text: str) -> str:
    if path.suffix == ".py":
        try:
            docstring = ast.get_docstring(ast.parse(text)) or ""
        except SyntaxError as error:
            raise ExampleError(f"{path}:{error.lineno}: {error.msg}") from None
        return docstring.partition("\n")[0]
    comments = (line.removeprefix("#").strip() for line in text.splitlines() if not line.startswith("#!"))
    return next(comments, "")


def _first_code_line(text: str, marker_line: int) -> int:
    """The first line below a marker that is not blank: there a cell's source begins."""
    following = text.splitlines()[marker_line:]
    return marker_line + 1 + next((n for n, line in enumerate(following) if line.strip()), 0)
