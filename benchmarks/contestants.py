"""Who is measured: how each writes its project, and the command that builds it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.project import (
    Page,
    write_gallery,
    write_guide,
    write_notebooks,
    write_prose,
    write_scripts,
)

ROOT = Path(__file__).parents[1]
COLD, UNCHANGED, PROSE, EXAMPLE = "cold", "unchanged", "prose", "example"
SHORT = (UNCHANGED,) * 3  # takes less than a second, in which a machine is easily disturbed
ALL_STEPS = (COLD, *SHORT, PROSE, EXAMPLE)


@dataclass(frozen=True)
class Contestant:
    """A way from examples to pages."""

    name: str
    title: str
    """As tables and pictures call it; a proper name, the same in every language."""
    write: Callable[[Path, Sequence[Page]], None]
    command: tuple[str | Path, ...]
    """Run in the project's folder."""
    steps: tuple[str, ...] = ALL_STEPS
    rounds: int = 99
    """At most so many: what takes a minute is not repeated as often as the rest."""
    environment: Mapping[str, str] = field(default_factory=dict)
    tries: int = 1
    """How often it may begin when it crashes; crashes are counted."""


def guide(steps: tuple[str, ...] = ALL_STEPS) -> Contestant:
    """This repository's engine and extensions, with its own conf.py."""
    command = (*sphinx(sys.executable), "-c", ROOT, "-D", "examples_cache=runs", "-d", "doctrees", "docs", "site")
    return Contestant("guide", "this guide", write_guide, command, steps)


def without_code() -> Contestant:
    """Plain Sphinx, which shows the code and executes nothing."""
    command = (*sphinx(sys.executable), "docs", "site")
    return Contestant("sphinx", "Sphinx, no execution", write_prose, command, (COLD, *SHORT))


def peers(python: Path) -> list[Contestant]:
    """Those that take minutes are measured once, and the table says so."""
    build = (*sphinx(python), "docs", "site")
    two = (*sphinx(python), "-j2", "docs", "site")
    notebooks, cached = write_notebooks, partial(write_notebooks, mode="cache")
    peer = partial(Contestant, tries=3)
    return [
        peer("gallery", "sphinx-gallery", write_gallery, build),
        peer("gallery-2", "sphinx-gallery parallel=2", partial(write_gallery, parallel=2), build, (COLD,)),
        peer("myst-2", "MyST-NB -j2", notebooks, two, (COLD,)),
        peer("myst-cache", "MyST-NB -j2 with cache", cached, two, rounds=1),
        peer("myst-1", "MyST-NB -j1", notebooks, build, (COLD,), rounds=1),
        peer("scripts", "python FILE, one by one", write_scripts, ("bash", "all.sh", python), (COLD,), rounds=1),
    ]


def sphinx(python: str | Path) -> tuple[str | Path, ...]:
    return (python, "-m", "sphinx", "-q")
