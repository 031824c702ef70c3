"""What is rehearsed: an example as it is with the 8B, on how many cards, and what its page announces.

``rehearsals/lora.py.toml`` says it of ``examples/lora.py``; the text that is rehearsed is made from the example's own::

    fits = true            # on one card; or a list, the numbers of cards on which it fits: [4, 8]
    cards = [1]            # the numbers of cards to rehearse, [1] when not said
    one_process = true     # which has all of these cards; when not said, each has a process, as torchrun starts them
    instead = "lora.py"    # where it does not fit on one card: the example that does
    [[change]]             # where more lines change than that of model_id: text of the example, which has it once
    old = 'dtype="float32"'
    new = 'dtype="bfloat16"'
    shown = false          # a change of the rehearsal alone, not the reader's: rows of ours made as long as his may be
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

from engine.values.example import Example, ExampleError, parsed

MODEL = "meta-llama/Meta-Llama-3-8B-Instruct"
MODEL_LINE = re.compile(r'^model_id = ".*"$', re.MULTILINE)
OUT_OF_MEMORY = re.compile(r"NPU out of memory\. Tried to allocate [\d.]+ \w+")
MOST_CARDS = 8  # of one host
CHANGE = {"old": str, "new": str, "shown": bool}
KNOWN = {"fits", "cards", "one_process", "instead", "change"}


@dataclass(frozen=True)
class Change:
    """Text of the example that becomes another."""

    old: str
    new: str
    shown: bool = True
    """Whether readers change it too."""


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
class Found:
    """What a rehearsal found out: sizes, and where it stopped; of what it printed, nothing is kept."""

    card_bytes: int = 0
    """Memory of one card."""
    peak_bytes: int = 0
    """Largest memory that tensors took, on the fullest card."""
    reserved_bytes: int = 0
    """Largest memory that the allocator held for them there."""
    stop: Stop | None = None
    """None when it ran to its end."""
    peaks: tuple[int, ...] = ()
    """As ``peak_bytes``, of each card in its order, where one process has several that are not equally full."""

    @property
    def fits(self) -> bool:
        return self.stop is None

    @property
    def out_of_memory(self) -> str:
        """What torch_npu said when there was not enough; empty when it stopped for another reason, or not at all."""
        said = OUT_OF_MEMORY.search(self.stop.error) if self.stop else None
        return said.group() if said else ""

    @property
    def answers(self) -> bool:
        """Whether it tells if the example fits, and does not fail for another reason."""
        return self.fits or bool(self.out_of_memory)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Found:
        stop = Stop(**data["stop"]) if data["stop"] else None
        return cls(**{**data, "stop": stop, "peaks": tuple(data["peaks"])})


@dataclass(frozen=True)
class Rehearsed:
    """That it was found, of which example, and when."""

    example: str
    cards: int
    key: str
    """Digest of all that can change it."""
    started: str
    """UTC, ISO 8601."""
    seconds: float
    found: Found

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Rehearsed:
        return cls(**{**data, "found": Found.from_json(data["found"])})

    def __str__(self) -> str:
        on = f"{self.example} with the 8B on {cards_in_words(self.cards)}"
        if stop := self.found.stop:
            return f"{on}: {stop.error}"
        return f"{on}: {gib(self.found.peak_bytes)} of {gib(self.found.card_bytes)} GiB"


def cards_in_words(count: int) -> str:
    return "1 card" if count == 1 else f"{count} cards"


def gib(count: int) -> str:
    """As a person reads it.

    >>> gib(65466038845)
    '60.97'
    """
    return f"{count / (1 << 30):.2f}"


@dataclass(frozen=True)
class Rehearsal:
    """An example with the 8B, and what its page announces of it."""

    path: Path
    """The file that says so."""
    example: Example
    """As readers copy it."""
    text: str
    """As it is rehearsed with the 8B."""
    shown: str
    """As readers have it with the 8B."""
    cards: tuple[int, ...]
    """The numbers of cards it is rehearsed on."""
    fits: tuple[int, ...]
    """Those of them on which the page announces it to fit."""
    instead: str
    """The example that fits on one card; empty when this one does, or none is named."""
    one_process: bool = False
    """Whether one process has all of the cards; otherwise each card has a process."""

    @cached_property
    def rehearsed(self) -> Example:
        """The example to run: of the same name, beside the same files."""
        return parsed(self.example.path, self.text)

    def processes(self, cards: int) -> int:
        """How many of them run on so many cards."""
        return 1 if self.one_process else cards

    def contradiction(self, rehearsed: Rehearsed) -> str:
        """What was found that the page does not announce, with the example's line; empty when all is as announced."""
        announced, found, cards = rehearsed.cards in self.fits, rehearsed.found, rehearsed.cards
        on = (
            f"with the 8B on {cards} card{'s' if cards > 1 else ''} it is announced {'' if announced else 'not '}to fit"
        )
        if found.stop and (announced or not found.out_of_memory):
            where = f"examples/{self.example.name}:{found.stop.line}"
            return f"{where}: {on}, but cell {found.stop.cell!r} stops: {found.stop.error}"
        if found.fits and not announced:
            sizes = f"{gib(found.reserved_bytes)} of {gib(found.card_bytes)} GiB"
            return f"examples/{self.example.name}: {on}, but it does ({sizes}); say so in rehearsals/{self.path.name}"
        return ""

    @property
    def hunks(self) -> list[Hunk]:
        """The lines to change, in order."""
        old, new = self.example.text.splitlines(), self.shown.splitlines()
        return [
            Hunk(self._cell_at(first + 1), tuple(old[first:last]), tuple(new[begin:end]))
            for tag, first, last, begin, end in opcodes(old, new)
            if tag != "equal"
        ]

    def line_of(self, line: int) -> int:
        """Where a line of the changed text is in the example: the same line, or the first of those it replaces."""
        for tag, first, _last, begin, end in opcodes(self.example.text.splitlines(), self.text.splitlines()):
            if begin < line <= end:
                return first + line - begin if tag == "equal" else first + 1
        return line

    def _cell_at(self, line: int) -> str:
        before = [cell.name for cell in self.example.cells if cell.line <= line]
        return before[-1]


def opcodes(old: Sequence[str], new: Sequence[str]) -> Iterable[tuple[str, int, int, int, int]]:
    """What makes one text of the other, by lines, as :mod:`difflib` tells it."""
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def folder_of(example: Example) -> Path:
    """Where the files of all rehearsals are: beside the folder of the examples."""
    return example.path.resolve().parent.with_name("rehearsals")


def discover(examples: Iterable[Example]) -> dict[str, Rehearsal]:
    """Of these examples all that are rehearsed, by name; raises :class:`ExampleError` saying which file to mend."""
    paths = {example.name: folder_of(example) / f"{example.name}.toml" for example in examples}
    return {example.name: read(paths[example.name], example) for example in examples if paths[example.name].exists()}


def refuse_strays(examples: Sequence[Example]) -> None:
    """Raises :class:`ExampleError` for a file that is named after none of these examples."""
    names = {f"{example.name}.toml" for example in examples}
    for path in sorted(folder_of(examples[0]).glob("*.toml")) if examples else ():
        if path.name not in names:
            raise ExampleError(f"{path}: there is no example {path.stem}; name this file after one")


def read(path: Path, example: Example) -> Rehearsal:
    """Raises :class:`ExampleError`, whose message begins with the file."""
    try:
        return _rehearsal(path, tomllib.loads(path.read_text(encoding="utf-8")), example)
    except ValueError as error:  # of tomllib and of parsed() too
        raise ExampleError(f"{path}: {error}") from None


def _rehearsal(path: Path, table: dict[str, Any], example: Example) -> Rehearsal:
    if unknown := table.keys() - KNOWN:
        raise ValueError(f"{', '.join(sorted(unknown))} is not known; there are {', '.join(sorted(KNOWN))}")
    cards = _cards(table.get("cards", [1]), "cards")
    if not cards:
        raise ValueError("name the cards to rehearse, as in cards = [1]")
    fits = _fits(table.get("fits"), cards)
    instead = table.get("instead", "")
    if instead and (1 in fits or not example.path.with_name(instead).is_file()):
        raise ValueError(f"instead = {instead!r} must be an example, and this one must not fit on one card itself")
    changes = list(_changes(table.get("change", [])))
    text = _changed(example.text, changes)
    parsed(example.path, text)
    shown = _changed(example.text, [change for change in changes if change.shown])
    one_process = table.get("one_process", False)
    if type(one_process) is not bool:
        raise ValueError(f"one_process is true, for one that has all of the cards, or false, not {one_process!r}")
    return Rehearsal(path, example, text, shown, cards, fits, instead, one_process)


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


def _changes(tables: Any) -> Iterator[Change]:
    for table in tables:
        kinds = {name: type(value) for name, value in table.items()} if isinstance(table, dict) else {}
        if not {"old", "new"} <= kinds.keys() or not kinds.items() <= CHANGE.items():
            raise ValueError("a [[change]] has an old text and a new text, perhaps shown = false, and nothing else")
        yield Change(table["old"].strip("\n"), table["new"].strip("\n"), table.get("shown", True))


def _changed(text: str, changes: Sequence[Change]) -> str:
    """The text with the 8B's id and these changes; raises ``ValueError`` where one does not fit the text."""
    lines = MODEL_LINE.findall(text)
    if len(lines) > 1 or not (lines or changes):
        raise ValueError('the example needs one line model_id = "...", which becomes the 8B\'s, or a [[change]]')
    for change in changes:
        if (count := text.count(change.old)) != 1:
            raise ValueError(f"the example has the text of a [[change]] {count} times instead of once: {change.old!r}")
    for change in changes:
        text = text.replace(change.old, change.new)
    return MODEL_LINE.sub(f'model_id = "{MODEL}"', text)
