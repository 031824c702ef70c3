"""Divides the examples among machines: ``python -m engine run --shard 2/8 examples/*`` executes the second eighth.

Every machine computes the same division from recorded seconds, so that none has to be told.  Each fills a cache of its
own; put together (the files of all of them in one folder), they are what one machine would have filled alone.
"""

from __future__ import annotations

import heapq
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.values.example import Example

SECONDS = Path(__file__).with_name("seconds.json")  # of each example, its rehearsals included; ``accept`` writes it


@dataclass(frozen=True)
class Shard:
    """One of several parts of the examples, counted from 1."""

    number: int
    of: int

    @classmethod
    def parsed(cls, text: str) -> Shard:
        """``2/8``; raises ``ValueError`` for what is none."""
        found = re.fullmatch(r"(\d+)/(\d+)", text)
        if not found or not 1 <= int(found[1]) <= int(found[2]):
            raise ValueError(f"{text!r} is no shard; write '2/8' for the second of eight")
        return cls(int(found[1]), int(found[2]))

    def taken(self, examples: Sequence[Example], seconds: Mapping[str, float]) -> list[Example]:
        """Those of the examples that belong to this shard."""
        usual = sum(seconds.values()) / len(seconds) if seconds else 1
        names = divided({each.name: seconds.get(each.name, usual) for each in examples}, self.of)[self.number - 1]
        return [example for example in examples if example.name in names]


def divided(seconds: Mapping[str, float], parts: int) -> list[list[str]]:
    """The names in so many parts that take about equally long: the longest first, each to the part with least to do."""
    shares: list[list[str]] = [[] for _ in range(parts)]
    least = [(0.0, part) for part in range(parts)]
    for name in sorted(seconds, key=lambda name: (-seconds[name], name)):
        busy, part = heapq.heappop(least)
        shares[part].append(name)
        heapq.heappush(least, (busy + seconds[name], part))
    return shares


def recorded() -> dict[str, float]:
    """Seconds of every example that were accepted last."""
    return dict(json.loads(SECONDS.read_text(encoding="utf-8")))


def record(seconds: Iterable[tuple[str, float]]) -> None:
    """Note how long these examples took; the others keep what is known of them."""
    known = recorded() | {name: round(took) for name, took in seconds}
    SECONDS.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8")
