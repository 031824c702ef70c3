"""Where a cell has outputs of several devices, each is behind a tab; the first is that of this build."""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx_design.shared import create_component, is_component
from sphinx_design.tabs import sd_tab_input, sd_tab_label

from . import handed_in
from .badge import device_text
from .execution import run_of

_ = get_translation("guide")

TabInput, TabLabel = sd_tab_input, sd_tab_label  # the nodes that a tab is made of, beside its content

OF_TABS = re.compile(r"sphinx-design|design-tabs")


class OfferTabs(SphinxPostTransform):
    """Moves the outputs that :mod:`handed_in` put behind a cell into tabs below its code."""

    default_priority = 4  # after the cells are on the page, before MyST-NB selects one form of each output

    def run(self, **kwargs: Any) -> None:
        own = None
        for cell in list(self.document.findall(nodes.container)):
            if cell.get("nb_element") != "cell_code":
                continue
            if "host" not in cell["cell_metadata"]:
                own = cell
            elif own is not None:
                cell.parent.remove(cell)
                _add_tab(own, cell)


def _add_tab(own: nodes.container, other: nodes.container) -> None:
    """Show the outputs of ``other`` beside those of ``own``, whose code is the same."""
    host, example = other["cell_metadata"]["host"], other["cell_metadata"]["example"]
    tabs = next((child for child in own if is_component(child, "tab-set")), None)
    if tabs is None:
        outputs, here = _outputs(own), run_of(example)
        own.children = [child for child in own.children if child not in outputs]
        tabs = tab_set()
        tabs += tab(_("本次构建：%s") % device_text(here.record) if here else _("本次构建"), outputs)
        own += tabs
    device = device_text(handed_in.runs_elsewhere()[host][example].record)
    tabs += tab(f"{host}: {device}", _outputs(other))


def _outputs(cell: nodes.container) -> list[nodes.Node]:
    return [child for child in cell.children if child.get("nb_element") == "cell_code_output"]


def tab_set() -> nodes.container:
    """An empty one, for what :func:`tab` makes."""
    return create_component("tab-set", classes=["sd-tab-set"])


def tab(label: str, content: list[nodes.Node], sync: tuple[str, str] = ("", "")) -> nodes.container:
    """As sphinx-design's own directive makes one; ``sync``, group and key: chosen once, it stays so on every page."""
    nothing = nodes.paragraph("", _("没有输出"))
    group, key = sync
    chosen = {"sync_group": group, "sync_id": key} if key else {}
    return create_component(
        "tab-item",
        classes=["sd-tab-item"],
        children=[
            nodes.rubric("", label, classes=["sd-tab-label"], translatable=False, **chosen),
            create_component("tab-content", classes=["sd-tab-content"], children=content or [nothing]),
        ],
    )


def load_tabs(app: Sphinx, config: Config) -> None:
    """A book shows one below the other."""
    if not app.tags.has("book"):
        app.setup_extension("sphinx_design")


def style_where_tabs_are(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Their style is heavy: no other page loads it."""
    if doctree and next(doctree.findall(TabInput), None):
        return
    for kind in ("css_files", "script_files"):
        context[kind] = [file for file in context.get(kind, []) if not OF_TABS.search(str(file.filename))]


def connect(app: Sphinx) -> None:
    app.connect("config-inited", load_tabs)
    app.connect("html-page-context", style_where_tabs_are, priority=900)
    app.add_post_transform(OfferTabs)
