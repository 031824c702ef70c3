"""An example: one self-contained file in percent format, and its named cells."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

from engine.observing.children.hand_over import LIBRARIES
from engine.values import needs, secrets

SUFFIXES = (".py", ".sh")
MARKER = re.compile(r"^# %%[ \t]*(?P<name>[\w-]*)(?:.*\bneeds=(?P<needs>\[.*?\]))?.*\n?", re.MULTILINE)


class ExampleError(ValueError):
    """An example that can not be read; the message begins with ``file:line``."""


@dataclass(frozen=True)
class Cell:
    """A block of code between two ``# %% name`` markers."""

    name: str
    source: str
    line: int
    """Line of the file on which the source begins, counted from 1."""
    needs: tuple[str, ...] = ()
    """Requirements that are met where it runs, or it is skipped; see :mod:`engine.values.needs`."""


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

    @cached_property
    def companions(self) -> tuple[Path, ...]:
        """Neighbours that the text names: they travel with the example into its working folder."""
        siblings = sorted(path for path in self.path.parent.iterdir() if self._names(path.name))
        return tuple(path for path in siblings if path != self.path and path.is_file())

    def _names(self, file: str) -> bool:
        return file in self.text and bool(re.search(rf"(?<![\w.-]){re.escape(file)}\b", self.text))

    @cached_property
    def needs_libraries(self) -> bool:
        """Whether its kernel will import anything that Python does not bring along; a shell's never does."""
        return self.language == "python3" and not _imported(self.text) <= sys.stdlib_module_names - {"importlib"}

    @cached_property
    def starts_programs(self) -> bool:
        """Whether it is a shell's that names such libraries, as what starts Python programs with them does."""
        texts = [self.text, *(path.read_text(encoding="utf-8") for path in self.companions if path.suffix == ".py")]
        return self.language == "bash" and any(LIBRARIES.search(text) for text in texts)

    def notebook(self) -> NotebookNode:
        """The cells as a notebook not yet executed, its first cell the title."""
        import jupytext  # not above: only what is executed anew is made a notebook

        notebook = jupytext.reads(self.text, fmt={"extension": self.path.suffix, "format_name": "percent"})
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
    return parsed(path, path.read_text(encoding="utf-8"))


def parsed(path: Path, text: str) -> Example:
    """The example of this text, as if the file had it; raises :class:`ExampleError`."""
    title = _title(path, text)
    if not title:
        raise ExampleError(f"{path}:1: begin with the title, as a docstring (in a shell script: as a comment)")
    markers = list(MARKER.finditer(text))
    if not markers:
        raise ExampleError(f"{path}:1: no cell found; begin one with a line '# %% name'")
    if findings := secrets.find(text):
        raise ExampleError(f"{path}:{findings[0].line}: this {findings[0]}; take it out of the file")
    names = Counter(marker["name"] for marker in markers)
    for marker in markers:
        line = _line(text, marker.start())
        if not marker["name"]:
            raise ExampleError(f"{path}:{line}: this cell has no name; write '# %% name'")
        if names[marker["name"]] > 1:
            raise ExampleError(f"{path}:{line}: two cells are called {marker['name']!r}")
        try:
            needs.parsed(marker["needs"])
        except ValueError as error:
            raise ExampleError(f"{path}:{line}: {error}") from None
    if stray := _stray_line(path, text[: markers[0].start()]):
        raise ExampleError(f"{path}:{stray}: only the title may stand before the first '# %% name'")
    return Example(path, text, title, tuple(_cells(text, markers)))


def discover(folder: Path) -> list[Example]:
    """All examples of a folder, in order of their names."""
    return [read(path) for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]


def _title(path: Path, text: str) -> str:
    if path.suffix == ".py":
        try:
            docstring = ast.get_docstring(ast.parse(text)) or ""
        except SyntaxError as error:
            raise ExampleError(f"{path}:{error.lineno}: {error.msg}") from None
        return docstring.partition("\n")[0]
    comments = (line.removeprefix("#").strip() for line in text.splitlines() if not line.startswith("#!"))
    return next(comments, "")


def _imported(text: str) -> set[str]:
    """Packages and modules that are imported anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


def _stray_line(path: Path, head: str) -> int:
    """Line of the first code before the first marker, where it would never run; 0 when there is none."""
    if path.suffix == ".py":
        return next((statement.lineno for statement in ast.parse(head).body[1:]), 0)
    lines = enumerate(head.splitlines(), start=1)
    return next((number for number, line in lines if line.strip() and not line.startswith("#")), 0)


def _cells(text: str, markers: Sequence[re.Match[str]]) -> Iterator[Cell]:
    """What stands between the markers."""
    ends = [*(marker.start() for marker in markers[1:]), len(text)]
    for marker, end in zip(markers, ends, strict=True):
        source = text[marker.end() : end]
        begin = marker.end() + len(source) - len(source.lstrip("\n"))
        yield Cell(marker["name"], source.strip("\n"), _line(text, begin), needs.parsed(marker["needs"]))


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
