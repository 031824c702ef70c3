"""Executes the examples before Sphinx reads anything, and hands them to MyST-NB as executed notebooks.

An example is an ordinary document of the site (``examples/tokenizer.py`` becomes ``examples/tokenizer.html``), read
through ``nb_custom_formats``; MyST-NB only renders.  The engine decides what runs: see :mod:`engine.session`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.util import logging

from engine.cache import Cache
from engine.place.surroundings import on_silicon
from engine.session import Session, failure_message
from engine.values.example import Example, ExampleError, discover
from engine.values.rehearsal import Rehearsal, Rehearsed, refuse_strays
from engine.values.rehearsal import discover as discover_rehearsals
from engine.values.run import UNLIMITED, Limits, Run

from .handed_in import runs_elsewhere, with_outputs_elsewhere

logger = logging.getLogger(__name__)

READ_ONLY_BUILDERS = ("gettext", "linkcheck")  # look at prose and links: what was not executed stays so

LIMITS = re.compile(r"^:limits: +(?P<example>\S+) +(?P<limits>.+)$", re.MULTILINE)

# One Sphinx run executes one set of examples, and MyST-NB's readers get nothing but the text of a file.
_runs: dict[str, Run] = {}
_examples: dict[str, Example] = {}
_rehearsals: dict[str, Rehearsal] = {}
_rehearsed: dict[str, dict[int, Rehearsed]] = {}


def run_of(example: str) -> Run | None:
    """The run of ``examples/NAME`` in this build, by file name."""
    return _runs.get(example)


def runs_of_build() -> dict[str, Run]:
    """All runs of this build by file name, in order."""
    return dict(sorted(_runs.items()))


def example_of(name: str) -> Example | None:
    """The example of this file name."""
    return _examples.get(name)


def rehearsals() -> dict[str, Rehearsal]:
    """All examples that are rehearsed, by file name."""
    return dict(_rehearsals)


def rehearsed_of(example: str) -> dict[int, Rehearsed]:
    """What came of that in this build, by number of cards; nothing where this build could not rehearse."""
    return _rehearsed.get(example, {})


def docname_of(example: str) -> str:
    """The document that shows the whole example."""
    return f"examples/{Path(example).stem}"


def read_executed(text: str) -> NotebookNode:
    """MyST-NB's reader: the executed notebook of the example with this text."""
    name = next((example.name for example in _examples.values() if example.text == text), None)
    if name is None:
        raise ExtensionError("an example was edited while the site was built; build again")
    run = _runs.get(name)
    notebook = deepcopy(run.notebook) if run else _examples[name].notebook()
    notebook.metadata["orphan"] = True  # no table of contents lists it: pages show its cells
    notebook.metadata["nosearch"] = True  # each cell is found on its page
    return with_outputs_elsewhere(name, notebook)


def declare_formats(app: Sphinx, config: Config) -> None:
    """Let MyST-NB read examples by our reader, and execute nothing itself; ``ascend`` is a tag of builds on chips."""
    if on_silicon():
        app.tags.add("ascend")
    config.nb_custom_formats = dict.fromkeys((".py", ".sh"), f"{__name__}.read_executed")
    config.nb_execution_mode = "off"


def run_examples(app: Sphinx) -> None:
    """Execute what is stale; what fails is reported when the pages are known (see :func:`report_failures`)."""
    try:
        examples = discover(Path(app.srcdir) / "examples")
        _examples.update({example.name: example for example in examples})
        _rehearsals.update(discover_rehearsals(examples))
        refuse_strays(examples)
    except ExampleError as error:
        raise SystemExit(str(error)) from None  # any other exception Sphinx reports as a fault of its own
    limits = _limits(app.config)
    limits_of = _limits_of_pages(Path(app.srcdir), limits)
    session = Session(Cache(Path(app.config.examples_cache)), limits=limits, limits_of=limits_of)
    only_read = app.builder.name in READ_ONLY_BUILDERS
    results = (session.cached if only_read else session.run_all)(examples, list(_rehearsals.values()))
    _runs.update(results.runs)
    _rehearsed.update(results.rehearsed)


def _limits(config: Config) -> Limits:
    """What an example may take, on a card anything: on the command line ``-D example_limits.cell_seconds=900``."""
    known = {name: type(value) for name, value in asdict(Limits()).items()}
    try:
        chosen = {name: known[name](value) for name, value in config.example_limits.items()}
    except (KeyError, ValueError):
        raise SystemExit(f"example_limits are numbers by name: {', '.join(known)}") from None
    return replace(UNLIMITED if on_silicon() else Limits(), **chosen)


def _limits_of_pages(docs: Path, otherwise: Limits) -> dict[str, Limits]:
    """Pages give an example its own in their head, as in ``:limits: lora.py cell_seconds=900``."""
    limits = {}
    for page in sorted(docs.glob("*.rst")):
        for found in LIMITS.finditer(page.read_text(encoding="utf-8")):
            named = dict(pair.partition("=")[::2] for pair in found["limits"].split())
            try:
                numbers = {name: type(getattr(otherwise, name))(value) for name, value in named.items()}
            except (AttributeError, ValueError):
                known = ", ".join(asdict(otherwise))
                raise SystemExit(
                    f"{page}: {found.group()!r} is no limit; write ':limits: NAME.py NAME=NUMBER' with {known}"
                ) from None
            limits[found["example"]] = replace(otherwise, **numbers)
    return limits


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """Documents whose example has another run than when they were read, though no file of theirs changed."""
    known: dict[str, list[str]] = getattr(env, "example_runs", {})
    now = {name: _shown(name) for name in _runs}
    env.example_runs = now  # type: ignore[attr-defined]
    stale = {name for name in now if known.get(name) != now[name]}
    pages = [page for page, shown in shown_cells(env) if stale & {example for example, *_ in shown}]
    return [page for page in {*map(docname_of, stale), *pages} if page in env.all_docs]


def _shown(name: str) -> list[str]:
    """Which runs of this example are shown, and which rehearsals."""
    runs = [_runs[name], *(theirs[name] for theirs in runs_elsewhere().values() if name in theirs)]
    shown = [run.record for run in runs] + list(rehearsed_of(name).values())
    return [each.started + each.key for each in shown]


def shown_cells(env: BuildEnvironment) -> Iterator[tuple[str, list[tuple[str, str, int]]]]:
    """Of every page the cells that it shows: example, cell, line of the page."""
    for page, metadata in env.metadata.items():
        if "shown_cells" in metadata:
            yield page, metadata["shown_cells"]


def report_failures(app: Sphinx, env: BuildEnvironment) -> None:
    """An error at every page that shows an example which did not succeed; one at the example when none does."""
    if app.builder.name in READ_ONLY_BUILDERS:
        return
    for name, run in _runs.items():
        failure = run.record.failure
        if not failure:
            continue
        app.statuscode = 1  # with or without -W
        message = failure_message(run, Path("examples") / name)
        places: list[Any] = [
            (page, line)
            for page, shown in shown_cells(env)
            for example, cell, line in shown
            if (example, cell) == (name, failure.name)
        ]
        for place in places or [f"examples/{name}:{failure.line}"]:
            logger.error(message, location=place)


def connect(app: Sphinx) -> None:
    app.add_config_value("examples_cache", "_build/runs", "", str)
    app.add_config_value("example_limits", {}, "", dict)
    app.connect("config-inited", declare_formats, priority=400)  # before MyST-NB looks
    app.connect("builder-inited", run_examples)
    app.connect("env-get-outdated", outdated)
    app.connect("env-updated", report_failures)
