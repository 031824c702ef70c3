"""``.. cells:: tokenizer.py load encode`` shows cells of an executed example, with what they printed.

A cell that draws a picture is shown with ``:alt:``, what the picture shows in words.
"""

from __future__ import annotations

from typing import Any

from docutils import nodes
from docutils.nodes import Node
from docutils.parsers.rst import directives
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from engine.values.record import CellRecord, Outcome

from .execution import READ_ONLY_BUILDERS, docname_of, example_of, run_of, shown_cells

logger = logging.getLogger(__name__)
_ = get_translation("guide")


class cells(nodes.General, nodes.Element, addnodes.translatable):
    """Stands for cells of an example until the page that shows them is written; its ``alt`` is translated."""

    def preserve_original_messages(self) -> None:
        self["original_alt"] = self["alt"]

    def apply_translated_message(self, original_message: str, translated_message: str) -> None:
        self["alt"] = translated_message

    def extract_original_messages(self) -> list[str]:
        return [self["original_alt"]] if self["original_alt"] else []


class Cells(SphinxDirective):
    """File name of an example, then the names of the cells to show, in the order of the page."""

    required_arguments = 1
    final_argument_whitespace = True
    option_spec = {"alt": directives.unchanged_required}

    def run(self) -> list[Node]:
        name, *titles = self.arguments[0].split()
        example = example_of(name)
        if example is None:
            raise self.error(
                f"there is no examples/{name}; begin with the file name of an example, as in 'tokenizer.py'"
            )
        if not titles:
            raise self.error(f"name the cells of {name} to show: {', '.join(cell.name for cell in example.cells)}")
        known = {cell.name for cell in example.cells}
        for title in titles:
            if title not in known:
                raise self.error(f"{name} has no cell {title!r}; it has {', '.join(sorted(known))}")
        self.env.note_dependency(str(example.path))
        shown = self.env.metadata[self.env.docname].setdefault("shown_cells", [])
        shown += [(name, title, self.lineno) for title in titles]
        node = cells(example=name, titles=titles, alt=self.options.get("alt", ""))
        self.set_source_info(node)
        return [node]


class ShowCells(SphinxPostTransform):
    """Puts the rendered cells of the example's own document in place."""

    default_priority = 3  # before MyST-NB selects one of the mime types of an output

    def run(self, **kwargs: Any) -> None:
        if self.app.builder.name == "gettext":
            return  # a translator is asked for what the page says of its cells, not for their code
        for node in list(self.document.findall(cells)):
            doctree = self.env.get_doctree(docname_of(node["example"]))
            rendered: dict[str, list[nodes.container]] = {}  # more than one where other devices' outputs follow
            for cell in doctree.findall(nodes.container):
                if cell.get("nb_element") == "cell_code":
                    rendered.setdefault(cell["cell_metadata"].get("title"), []).append(cell)
            outcomes = _outcomes(node["example"])
            shown: list[Node] = []
            for title in node["titles"]:
                shown += [_copied(cell, node["example"]) for cell in rendered[title]]
                shown += _notice(outcomes.get(title))
            _describe_pictures(node, shown)
            node.replace_self(shown)


def _copied(cell: nodes.container, example: str) -> nodes.container:
    copy = cell.deepcopy()
    copy["example"] = example
    return copy


class DescribeOwnPictures(SphinxPostTransform):
    """On the example's own page a picture is described by the cell that drew it."""

    default_priority = 3

    def run(self, **kwargs: Any) -> None:
        for cell in self.document.findall(nodes.container):
            if cell.get("nb_element") == "cell_code":
                for image in cell.findall(nodes.image):
                    image.setdefault("alt", _("%s 这段代码画的图") % cell["cell_metadata"].get("title"))


def _describe_pictures(node: cells, shown: list[Node]) -> None:
    """Give the picture its text; a picture without one, or a text without a picture, is an error of the page."""
    if any(isinstance(part, nodes.warning) for part in shown):
        return  # what did not run drew nothing: that is the error
    bundles = [
        part for cell in shown for part in cell.findall(nodes.container) if part.get("nb_element") == "mime_bundle"
    ]
    pictures = [bundle for bundle in bundles if next(bundle.findall(nodes.image), None)]
    drawn_here = [bundle for bundle in pictures if "host" not in bundle.parent.parent["cell_metadata"]]
    if len(drawn_here) > 1:
        message = "these cells draw %d pictures; show each by '.. cells::' of its own"
        logger.error(message, len(drawn_here), location=node)
    elif bool(pictures) != bool(node["alt"]):
        wanted = "say what the picture shows, with ':alt:'" if pictures else "there is no picture for this ':alt:'"
        logger.error(wanted, location=node)
    for bundle in pictures:
        for image in bundle.findall(nodes.image):
            image["alt"] = node["alt"]


def _outcomes(example: str) -> dict[str, CellRecord]:
    run = run_of(example)
    return {cell.name: cell for cell in run.record.cells} if run else {}


def _notice(cell: CellRecord | None) -> list[Node]:
    """What stands below a cell that did not run to its end."""
    if cell and cell.outcome is Outcome.RAN:
        return []
    if cell and cell.need == "npu":
        text = _("这段代码没有运行：它要用 NPU，而构建这一页的机器上没有。")
    elif cell and cell.need:
        text = _("这段代码没有运行：它需要 %s，这一页的运行环境不满足。") % cell.need
    elif cell is None or cell.outcome is Outcome.SKIPPED:
        text = _("这段代码没有运行：前面的代码没有成功。")
    else:
        text = _("这段代码没有成功：%s") % cell.error
    return [nodes.warning("", nodes.paragraph("", text), classes=["cell-not-run"])]


def every_cell_is_shown(app: Sphinx, env: BuildEnvironment) -> None:
    """A cell that no page shows would be code that nobody reads: an error at its own line."""
    if app.builder.name in READ_ONLY_BUILDERS:
        return
    shown = {(example, cell) for _page, cells_shown in shown_cells(env) for example, cell, _line in cells_shown}
    for document in env.found_docs:
        if not document.startswith("examples/"):
            continue
        name = env.doc2path(document).name
        example = example_of(name)
        for cell in example.cells if example else ():
            if (name, cell.name) not in shown:
                place = f"examples/{name}:{cell.line}"
                message = f"no page shows cell {cell.name!r}; add it to a page's '.. cells:: {name}'"
                logger.error(message, location=place)


def connect(app: Sphinx) -> None:
    app.add_node(cells)
    app.add_directive("cells", Cells)
    app.add_post_transform(ShowCells)
    app.add_post_transform(DescribeOwnPictures)
    app.connect("env-updated", every_cell_is_shown)
