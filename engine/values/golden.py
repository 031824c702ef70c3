"""Numbers that a run must come near to: recorded once, compared at every run, accepted anew only on purpose.

``golden/fine_tuning.py.json`` lists facts of that example: the cell that prints a number, a pattern whose one group is
the number, its recorded value (``null`` until ``make accept``), and by how much another run may differ.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Fact:
    """One recorded number."""

    cell: str
    name: str
    pattern: str
    value: float | None
    """None when nothing is recorded yet."""
    tolerance: float
    """Largest absolute difference from ``value``, in the number's own unit."""

    def printed_in(self, text: str) -> float | None:
        """The number as this text has it; None when the pattern does not match."""
        match = re.search(self.pattern, text, re.MULTILINE)
        return float(match.group(1)) if match else None

    def drift(self, text: str) -> str:
        """What is wrong with the number in this text; empty when nothing is."""
        found = self.printed_in(text)
        if found is None:
            return f"{self.name}: nothing printed matches {self.pattern!r}"
        if self.value is None:
            return f"{self.name} is {found:g}, and none is recorded yet: 'make accept' does"
        if abs(found - self.value) <= self.tolerance:
            return ""
        return f"{self.name} is {found:g}, recorded was {self.value:g} ± {self.tolerance:g}"


@dataclass(frozen=True)
class Golden:
    """The folder of recorded facts, one file for each example that has any."""

    folder: Path

    def facts(self, example: str) -> list[Fact]:
        path = self._path(example)
        return [Fact(**fact) for fact in json.loads(path.read_text(encoding="utf-8"))] if path.exists() else []

    def accept(self, example: str, printed: dict[str, str]) -> list[str]:
        """Record what was printed (by cell); returns a line for each value that changed."""
        changes, facts = [], []
        for fact in self.facts(example):
            value = fact.printed_in(printed.get(fact.cell, ""))
            facts.append(fact if value is None else replace(fact, value=value))
            if value is not None and value != fact.value:
                before = "nothing" if fact.value is None else f"{fact.value:g}"
                changes.append(f"{example}: {fact.name}: {before} -> {value:g}")
        if changes:
            text = json.dumps([asdict(fact) for fact in facts], ensure_ascii=False, indent=1)
            self._path(example).write_text(text + "\n", encoding="utf-8")
        return changes

    def _path(self, example: str) -> Path:
        return self.folder / f"{example}.json"
