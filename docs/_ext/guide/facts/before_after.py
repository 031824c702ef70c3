"""``.. before-after:: my_data.py before after`` puts what two cells answered to the same questions side by side.

A cell prints a line for each question, ``QUESTION -> 'ANSWER'``, perhaps with a word and a bar in front, as in
``right | QUESTION -> 'ANSWER'``.  The table has the first questions that both cells answered; nothing in it is typed.
"""

from __future__ import annotations

import re
from ast import literal_eval
from dataclasses import dataclass

from docutils.nodes import Node
from docutils.parsers.rst import directives
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from ..runs.execution import READ_ONLY_BUILDERS, run_of
from .tables import table

_ = get_translation("guide")

ANSWER = re.compile(r"^(?:(?P<mark>right|wrong) \| )?(?P<question>.+?) -> (?P<answer>['\"].*['\"])$", re.MULTILINE)
MARKS = {"right": "✓ ", "wrong": "✗ "}
ROWS = 6


@dataclass(frozen=True)
class Answer:
    """What a model said to a question."""

    mark: str
    text: str

    def __str__(self) -> str:
        return MARKS.get(self.mark, "") + self.text


def answers(printed: str) -> dict[str, Answer]:
    r"""What a cell printed, by question.

    >>> answers("right | Who? -> 'I.'\nright: 1 of 1\n")
    {'Who?': Answer(mark='right', text='I.')}
    """
    return {
        found["question"]: Answer(found["mark"] or "", str(literal_eval(found["answer"])))
        for found in ANSWER.finditer(printed)
    }


def printed(notebook: NotebookNode, title: str) -> str:
    """What the cell of this name wrote to its standard output."""
    cells = [cell for cell in notebook.cells if cell.metadata.get("title") == title]
    return "".join(output.text for cell in cells for output in cell.outputs if output.get("name") == "stdout")


class BeforeAfter(SphinxDirective):
    """File name of an example, and the names of its two cells."""

    required_arguments = 3
    option_spec = {"rows": directives.positive_int}

    def run(self) -> list[Node]:
        example, *titles = self.arguments
        run = run_of(example)
        if run is None or self.env.app.builder.name in READ_ONLY_BUILDERS:
            return []  # what was not run is an error elsewhere, and a table of outputs is not translated
        before, after = (answers(printed(run.notebook, title)) for title in titles)
        both = [question for question in before if question in after][: self.options.get("rows", ROWS)]
        if not both:
            raise self.error(f"{' and '.join(titles)} of {example} have no line QUESTION -> 'ANSWER' in common")
        rows = [(question, str(before[question]), str(after[question])) for question in both]
        return [table((_("问题"), _("微调之前"), _("微调之后")), rows, ["before-after"])]


def connect(app: Sphinx) -> None:
    app.add_directive("before-after", BeforeAfter)
