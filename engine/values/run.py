"""A run of an example, and what it may take; the rest of the package either makes runs or looks at them."""

from __future__ import annotations

from dataclasses import dataclass

from nbformat import NotebookNode

from engine.values.record import Record


@dataclass(frozen=True)
class Limits:
    """What a run may take before it is ended."""

    cell_seconds: float = 300
    example_seconds: float = 600
    memory_bytes: int = 8 << 30
    output_bytes: int = 4 << 20


UNLIMITED = Limits(cell_seconds=1e9, example_seconds=1e9, memory_bytes=1 << 62)  # on a card: an 8B takes what it takes


@dataclass(frozen=True)
class Run:
    """An executed example: its notebook with outputs, and the record that says how it came about."""

    notebook: NotebookNode
    record: Record
