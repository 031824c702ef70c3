"""What a reader says of his host, once: every page follows, and what he chose is kept in his browser.

Variants stand behind the tabs of sphinx-design, which keeps which tab of a group was chosen; the panel beside the menu
and ``_static/your_host.js`` read and write the same.  Variants of a page are written so::

    .. by-host:: hub

       .. when:: huggingface

          ...

       .. when:: modelscope

          ...

Without a script, on paper and in a book all of them are shown, one below the other.  What has the class of a choice
(:func:`marked_for`) is always shown, and stands out for a reader who has chosen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from docutils.nodes import Node
from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.docutils import SphinxDirective

from sets import every_set

from .device_tabs import tab, tab_set

_ = get_translation("guide")


@dataclass(frozen=True)
class Host:
    """What installing depends on: architecture, and which registries are reached well."""

    machine: str
    mirrored: bool

    @property
    def key(self) -> str:
        return f"{self.machine}-mirrored" if self.mirrored else self.machine

    @property
    def label(self) -> str:
        return self.machine + (_("，国内镜像") if self.mirrored else "")


HOSTS = [Host(machine, mirrored) for mirrored in (False, True) for machine in ("aarch64", "x86_64")]


@dataclass(frozen=True)
class Choice:
    """One thing to choose."""

    name: str
    """The group of tabs that follow."""
    label: str
    values: Mapping[str, str]
    """What a page calls them, by what tabs call them."""


def choices() -> dict[str, Choice]:
    """All of them by name, in the order of the panel."""
    released = {each.name: f"CANN {each.cann}" for each in every_set().values() if each.name.startswith("cann-")}
    hubs = {"huggingface": "Hugging Face", "mirror": _("Hugging Face 的镜像"), "modelscope": "ModelScope"}
    cards = {"1": _("1 张卡"), **{str(count): _("%d 张卡") % count for count in (2, 4, 8)}}
    found = [
        Choice("cann", "CANN", released),
        Choice("host", _("架构"), {host.key: host.label for host in HOSTS}),
        Choice("cards", _("卡数"), cards),
        Choice("hub", _("模型从哪里来"), hubs),
        Choice("model", _("模型"), {"small": _("例子里的小模型"), "8b": "Llama 3 8B"}),
    ]
    return {choice.name: choice for choice in found}


def marked_for(choice: str, value: str) -> str:
    """The class of what is about this choice."""
    return f"for-{choice}-{value}"


class when(nodes.container):
    """What is for one value of a choice, until the tabs are made."""


class When(SphinxDirective):
    """The value that its content is for."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[Node]:
        node = when(value=self.arguments[0])
        self.set_source_info(node)
        node += self.parse_content_to_nodes()
        return [node]


class ByHost(SphinxDirective):
    """The name of a choice; for each of its values a ``when``."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[Node]:
        choice = choices().get(self.arguments[0])
        if choice is None:
            raise self.error(f"there is no choice {self.arguments[0]!r}; there are {', '.join(choices())}")
        variants = self.parse_content_to_nodes()
        given = [node["value"] if isinstance(node, when) else "" for node in variants]
        if given != list(choice.values):
            wanted = ", ".join(f"'.. when:: {value}'" for value in choice.values)
            raise self.error(f"write for every {choice.name} what holds for it, and nothing else: {wanted}")
        tabs = tab_set()
        tabs["classes"].append("by-host")
        for value, node in zip(given, variants, strict=True):
            assert isinstance(node, when)
            tabs += tab(choice.values[value], list(node.children), sync=(choice.name, value))
        return [tabs]


def add_panel(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    context["choices"] = list(choices().values())


def connect(app: Sphinx) -> None:
    app.add_node(when)
    app.add_directive("by-host", ByHost)
    app.add_directive("when", When)
    app.connect("html-page-context", add_panel)
