"""Pages hold no typed code and no typed output: both come from examples, by ``.. cells::``.

What can not run here is shown by ``.. not-run:: LANGUAGE`` with its reason as the first line, and marked as such.
"""

from __future__ import annotations

from docutils import nodes
from docutils.nodes import Node
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

logger = logging.getLogger(__name__)
_ = get_translation("guide")


class NotRun(SphinxDirective):
    """Code that this build can not run, with the reason; a reader sees that it did not run."""

    required_arguments = 1
    has_content = True
    option_spec = {"reason": directives.unchanged_required}

    def run(self) -> list[Node]:
        if "reason" not in self.options:
            raise self.error("say why it did not run here: ':reason: ...'")
        code = "\n".join(self.content)
        block = nodes.literal_block(code, code, language=self.arguments[0], not_run=True)
        self.set_source_info(block)
        label = nodes.strong("", _("未在此运行："), translatable=False)
        inline, messages = self.state.inline_text(self.options["reason"], self.lineno)
        reason = nodes.paragraph(self.options["reason"], "", *inline)  # translated as any paragraph is
        self.set_source_info(reason)
        head = nodes.container(
            "", nodes.paragraph("", "", label, translatable=False), reason, classes=["not-run-reason"]
        )
        return [nodes.container("", head, block, classes=["not-run"]), *messages]


def forbid(app: Sphinx, doctree: nodes.document) -> None:
    """An error for each literal block of a page that is neither run nor marked as not run."""
    if app.env.docname.startswith("examples/"):
        return
    for block in doctree.findall(nodes.literal_block):
        if not block.get("not_run"):
            logger.error(
                "typed code or output; show an executed cell by '.. cells::', or say '.. not-run::' with a reason",
                location=block,
            )


def connect(app: Sphinx) -> None:
    app.add_directive("not-run", NotRun)
    app.connect("doctree-read", forbid)
