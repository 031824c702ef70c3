"""``.. trials::`` lists what was tried on hosts of every kind and how it ended at first, and what happens now.

A test that tries it again is marked ``@pytest.mark.trial("what was tried, and how it ended")``; what happens now is
said by the first paragraph of its docstring, and shown by running it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

from ..addresses import repository_url
from .tables import table

_ = get_translation("guide")

TESTS = "tests"
MARK = "pytest.mark.trial"


@dataclass(frozen=True)
class Trial:
    """What was tried, and the test that tries it again."""

    tried: str
    now: str
    """What happens, in a sentence; empty where the test says none."""
    test: str
    """``tests/hosts/test_machines.py::test_sigterm_leaves_nobody``"""
    line: int


def trials(root: Path) -> list[Trial]:
    """Of all tests, those that were tried alike beside each other, in the order of the files."""
    found = [trial for file in sorted((root / TESTS).rglob("test_*.py")) for trial in _marked(file, root)]
    first = {trial.tried: place for place, trial in reversed([*enumerate(found)])}
    return sorted(found, key=lambda trial: first[trial.tried])


def _marked(file: Path, root: Path) -> Iterator[Trial]:
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        now = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == MARK:
                test = f"{file.relative_to(root).as_posix()}::{node.name}"
                yield Trial(ast.literal_eval(mark.args[0]), now, test, node.lineno)


class trial_rows(nodes.General, nodes.Element):
    """Stands for the table until the page is written: a translator is not asked for what tests say."""


class Trials(SphinxDirective):
    """Takes no arguments."""

    def run(self) -> list[Node]:
        root = Path(self.env.app.confdir)
        found = trials(root)
        for trial in found:
            self.env.note_dependency(str(root / trial.test.partition("::")[0]))
        if silent := [trial.test for trial in found if not trial.now]:
            raise self.error(f"these tests do not say what happens: {', '.join(silent)}")
        return [trial_rows(trials=found)]


class ShowTrials(SphinxPostTransform):
    """In the words of the tests; the headings are in the language of the site."""

    default_priority = 2

    def run(self, **kwargs: object) -> None:
        for node in list(self.document.findall(trial_rows)):
            alike = groupby(node["trials"], lambda trial: trial.tried)
            rows = [(tried, nodes.container("", *map(_now, found))) for tried, found in alike]
            node.replace_self([table([_("试了什么"), _("现在怎样，由哪个测试再试")], rows, ["trials"])])


def _now(trial: Trial) -> nodes.paragraph:
    """The sentence, and the test that shows it."""
    file, _colons, name = trial.test.partition("::")
    literal = nodes.literal(text=name)
    address = repository_url()
    uri = f"{address}/blob/main/{file}#L{trial.line}"
    shown = nodes.reference("", "", literal, refuri=uri) if address else literal
    return nodes.paragraph("", "", nodes.Text(f"{trial.now} "), shown)


def connect(app: Sphinx) -> None:
    app.add_node(trial_rows)
    app.add_directive("trials", Trials)
    app.add_post_transform(ShowTrials)
