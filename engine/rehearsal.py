"""What is rehearsed: an example as it is with the 8B, on how many cards, and what its page announces.

``rehearsals/lora.py.toml`` says it of ``examples/lora.py``; the text that is rehearsed is made from the example's own::

    fits = true            # on one card; or a list, the numbers of cards on which it fits: [4, 8]
    cards = [1]            # the numbers of cards to rehearse, [1] when not said
    instead = "lora.py"    # where it does not fit on one card: the example that does
    [[change]]             # where more lines change than that of model_id: text of the example, which has it once
    old = 'dtype="float32"'
    new = 'dtype="bfloat16"'
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from engine.example import Example, ExampleError, parsed

MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"
MODEL_LINE = re.compile(r'^model_id = ".*"$', re.MULTILINE)
OUT_OF_MEMORY = "NPU out of memory"  # as torch_npu says it
MOST_CARDS = 8  # of one host
CHANGE = {("old", str), ("new", str)}
KNOWN = {"fits", "cards", "instead", "change"}


@dataclass(frozen=True)
class Hunk:
    """Lines of one cell that become others."""

    cell: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Stop:
    """Where a rehearsal ended before its time."""

    cell: str
    line: int
    """Of the example's file."""
    error: str


@dataclass(frozen=True)
class Rehearsed:
    """What came of it on some cards: sizes, and where it stopped; of what it printed, nothing is kept."""

    example: str
    cards: int
    key: str
    """Digest of all that can change it."""
    started: str
    """UTC, ISO 8601."""
    seconds: float
    card_bytes: int
    """Memory of one card."""
    peak_bytes: int
    """Largest memory that tensors took, on the fullest card."""
    reserved_bytes: int
    """Largest memory that the allocator held for them there."""
    stop: Stop | None = None
    """None when it ran to its end."""

    @property
    def fits(self) -> bool:
        return self.stop is None

    @property
    def out_of_memory(self) -> bool:
        return self.stop is not None and OUT_OF_MEMORY in self.stop.error

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rehearsed:
        return cls(**{**data, "stop": data["stop"] and Stop(**data["stop"])})


@dataclass(frozen=True)
class Rehearsal:
    """An example with the 8B, and what its page announces of it."""

    path: Path
    """The file that says so."""
    example: Example
    """As readers copy it."""
    text: str
    """As it is with the 8B."""
    cards: tuple[int, ...]
    """The numbers of cards it is rehearsed on."""
    fits: tuple[int, ...]
    """Those of them on which the page announces it to fit."""
    instead: str
    """The example that fits on one card; empty when this one does, or none is named."""

    @cached_property
    def rehearsed(self) -> Example:
        """The example to run: of the same name, beside the same files."""
        return parsed(self.example.path, self.text)

    @property
    def hunks(self) -> list[Hunk]:
        """The lines to change, in order."""
        old, new = self.example.text.splitlines(), self.text.splitlines()
        return [
            Hunk(self._cell_at(first + 1), tuple(old[first:last]), tuple(new[begin:end]))
            for tag, first, last, begin, end in _opcodes(old, new)
            if tag != "equal"
        ]

    def line_of(self, line: int) -> int:
        """Where a line of the changed text is in the example: the same line, or the first of those it replaces."""
        for tag, first, _last, begin, end in _opcodes(self.example.text.splitlines(), self.text.splitlines()):
            if begin < line <= end:
                return first + line - begin if tag == "equal" else first + 1
        return line

    def _cell_at(self, line: int) -> str:
        before = [cell.name for cell in self.example.cells if cell.line <= line]
        return before[-1]


def _opcodes(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, int, int, int, int]]:
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def discover(folder: Path, examples: Iterable[Example]) -> dict[str, Rehearsal]:
    """All of a folder by name of the example, or :class:`ExampleError` saying which file to mend."""
    known = {example.name: example for example in examples}
    return {path.stem: read(path, known) for path in sorted(folder.glob("*.toml"))}


def read(path: Path, examples: dict[str, Example]) -> Rehearsal:
    """Raises :class:`ExampleError`, whose message begins with the file."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        if path.stem not in examples:
            raise ValueError(f"there is no example {path.stem}; name this file after one, as in 'lora.py.toml'")
        return _rehearsal(path, table, examples)
    except ValueError as error:  # of tomllib and of parsed() too
        raise ExampleError(f"{path}: {error}") from None


def _rehearsal(path: Path, table: dict[str, Any], examples: dict[str, Example]) -> Rehearsal:
    if unknown := table.keys() - KNOWN:
        raise ValueError(f"{', '.join(sorted(unknown))} is not known; there are {', '.join(sorted(KNOWN))}")
    cards = _cards(table.get("cards", [1]), "cards")
    if not cards:
        raise ValueError("name the cards to rehearse, as in cards = [1]")
    fits = _fits(table.get("fits"), cards)
    instead = table.get("instead", "")
    if instead and (1 in fits or instead not in examples):
        raise ValueError(f"instead = {instead!r} must be an example, and this one must not fit on one card itself")
    example = examples[path.stem]
    text = _changed(example.text, list(_changes(table.get("change", []))))
    parsed(example.path, text)
    return Rehearsal(path, example, text, cards, fits, instead)


def _cards(value: Any, name: str) -> tuple[int, ...]:
    whole = isinstance(value, list) and all(type(each) is int and 1 <= each <= MOST_CARDS for each in value)
    if not whole or sorted(set(value)) != value:
        raise ValueError(f"{name} are ascending numbers from 1 to {MOST_CARDS}, as in [1, 2, 4, 8], not {value!r}")
    return tuple(value)


def _fits(value: Any, cards: tuple[int, ...]) -> tuple[int, ...]:
    if value is None:
        raise ValueError("say what the page announces: fits = true, fits = false, or the numbers of cards")
    if isinstance(value, bool):
        return cards if value else ()
    fits = _cards(value, "fits")
    if others := set(fits) - set(cards):
        raise ValueError(f"it is said to fit on {min(others)} cards, which are not among those rehearsed")
    return fits


def _changes(tables: Any) -> Iterator[tuple[str, str]]:
    for table in tables:
        if not isinstance(table, dict) or {name: type(text) for name, text in table.items()} != {
            "old": str,
            "new": str,
        }:
            raise ValueError("a [[change]] has an old text and a new text, and nothing else")
        yield table["old"].strip("\n"), table["new"].strip("\n")


def _changed(text: str, changes: Sequence[tuple[str, str]]) -> str:
    """The text with the 8B's id and these changes; raises ``ValueError`` where one does not fit the text."""
    lines = MODEL_LINE.findall(text)
    if len(lines) > 1 or not (lines or changes):
        raise ValueError('the example needs one line model_id = "...", which becomes the 8B\'s, or a [[change]]')
    for old, _new in changes:
        if (count := text.count(old)) != 1:
            raise ValueError(f"the example has the text of a [[change]] {count} times instead of once: {old!r}")
    for old, new in changes:
        text = text.replace(old, new)
    return MODEL_LINE.sub(f'model_id = "{MODEL}"', text)
