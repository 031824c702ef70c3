"""``.. architecture::`` draws which folder of the code imports which, and ``:code-of:`` leads to a file of it.

Both are made from the files as they are: a file that is gone is an error of the page.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective, SphinxRole

from ..addresses import repository_url
from ..runs.folding import is_book

_ = get_translation("guide")

PACKAGES = {"guide": "docs/_ext/guide", "sets": "sets", "engine": "engine", "standins": "standins"}
JOINS = "__main__.py"  # a command: it may import every room
WIDTH, HEIGHT, ACROSS, DOWN = 138, 34, 154, 74  # of a box, and from one to the next

Imports = Mapping[str, set[str]]


def imports(root: Path) -> Imports:
    """The folders of our packages, each with those it imports; that one knows what it is in needs no saying."""
    found: dict[str, set[str]] = {}
    for package, folder in PACKAGES.items():
        for file in sorted((root / folder).rglob("*.py")):
            inside = file.relative_to(root / folder).parent.parts
            if file.name != JOINS and all(part.isidentifier() for part in inside):
                room = _room(root, ".".join((package, *inside)))
                rooms = {_room(root, name) for name in imported(file, (package, *inside))}
                found.setdefault(room, set()).update(rooms - {room, package, ""})
    used = set().union(*found.values())
    return {room: others for room, others in found.items() if others or room in used}


def imported(file: Path, package: tuple[str, ...]) -> Iterator[str]:
    """Full names of what a module of this package imports."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _room(root: Path, name: str) -> str:
    """``engine.kernel.client`` is in ``engine/kernel``; empty for what is not ours."""
    package, _, rest = name.partition(".")
    if package not in PACKAGES:
        return ""
    inside = rest.partition(".")[0]
    return f"{package}/{inside}" if inside and (root / PACKAGES[package] / inside).is_dir() else package


def levels(graph: Imports) -> dict[str, int]:
    """0 for a folder that imports none of the others, and one more than the highest it imports for the rest."""
    found: dict[str, int] = {}

    def level(room: str, above: tuple[str, ...] = ()) -> int:
        if room in above:
            raise ValueError(f"these import each other in a circle: {' -> '.join((*above, room))}")
        if room not in found:
            found[room] = 1 + max((level(each, (*above, room)) for each in graph[room]), default=-1)
        return found[room]

    for room in graph:
        level(room)
    return found


def drawn(graph: Imports, address: str) -> str:
    """An SVG: what imports stands above what it imports; a line that follows from two others is left out."""
    level = levels(graph)
    place: dict[str, tuple[int, int]] = {}
    left, top = 0, max(level.values())
    for package in PACKAGES:
        rows: dict[int, list[str]] = {}
        for room in sorted(room for room in graph if room.partition("/")[0] == package):
            rows.setdefault(level[room], []).append(room)
        for rooms in rows.values():  # last what is imported from far above: its line passes beside the boxes between
            rooms.sort(
                key=lambda room: max((level[each] for each in graph if room in _nearest(graph, each)), default=0)
            )
        for row, rooms in rows.items():
            place |= {room: (left + ACROSS * at, DOWN * (top - row)) for at, room in enumerate(rooms)}
        left += ACROSS * max(map(len, rows.values()))
    lines = [_line(place[room], place[other]) for room in graph for other in _nearest(graph, room)]
    boxes = [_box(room, place[room], address) for room in graph]
    size = f"{left - ACROSS + WIDTH + 4} {DOWN * top + HEIGHT + 4}"
    return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 {size}">', *lines, *boxes, "</svg>"])


def _nearest(graph: Imports, room: str) -> list[str]:
    """What a folder imports, without what it reaches by others as well."""

    def reached(start: str) -> set[str]:
        return graph[start].union(*map(reached, graph[start]))

    return sorted(graph[room].difference(*map(reached, graph[room])))


def _line(above: tuple[int, int], below: tuple[int, int]) -> str:
    (x, y), (to_x, to_y) = above, below
    return f'<line x1="{x + WIDTH // 2}" y1="{y + HEIGHT}" x2="{to_x + WIDTH // 2}" y2="{to_y}" />'


def _box(room: str, corner: tuple[int, int], address: str) -> str:
    x, y = corner
    package, _, inside = room.partition("/")
    folder = PACKAGES[package] + (f"/{inside}" if inside else "")
    box = f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" rx="5" />'
    box += f'<text x="{x + WIDTH // 2}" y="{y + HEIGHT // 2 + 5}">{escape(room)}</text>'
    return f'<a href="{escape(address)}/tree/main/{folder}">{box}</a>' if address else box


class Architecture(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        if is_book(self.env.app.builder):  # where a page with SVG has to be declared
            return []
        graph = imports(Path(self.env.app.confdir))
        label = escape(str(_("哪个文件夹导入哪个文件夹")))
        frame = f'<div class="architecture" role="group" aria-label="{label}" tabindex="0">'  # narrow screens scroll it
        return [nodes.raw("", f"{frame}{drawn(graph, repository_url())}</div>", format="html")]


class Code(SphinxRole):
    """``:code-of:`engine/session.py```: the file, linked where the repository is known."""

    def run(self) -> tuple[list[Node], list[nodes.system_message]]:
        if not (Path(self.env.app.confdir) / self.text).exists():
            message = self.inliner.reporter.error(f"there is no {self.text}", line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        literal: Node = nodes.literal(self.rawtext, self.text)
        if address := repository_url():
            literal = nodes.reference("", "", literal, refuri=f"{address}/blob/main/{self.text}")
        return [literal], []


def connect(app: Sphinx) -> None:
    app.add_directive("architecture", Architecture)
    app.add_role("code-of", Code())
