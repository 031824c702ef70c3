"""The languages of the site: each page leads to itself in the others, for readers and for search engines.

The main language is at the root of the site, every other one in a folder of its own, with the same pages.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform

from ..addresses import site_url

_ = get_translation("guide")


@dataclass(frozen=True)
class Language:
    """A language of the site."""

    tag: str
    """As HTML names it (BCP 47)."""
    name: str
    """In that language."""
    folder: str
    """Below the root of the site, empty for the main language."""


LANGUAGES = {"zh_CN": Language("zh-CN", "中文", ""), "en": Language("en", "English", "en/")}


@dataclass(frozen=True)
class Alternate:
    """A page in one of the languages."""

    language: Language
    current: bool
    href: str
    """From the page that is shown; absolute when it is known where the site is published."""
    link: str
    """From the page that is shown, always relative: it works from a folder on disk as well."""


def alternates(page: str, language: str) -> list[Alternate]:
    """The page in every language, seen from this one."""
    here = LANGUAGES[language]
    root = "../" * (page.count("/") + here.folder.count("/"))
    found = []
    for code, other in LANGUAGES.items():
        path = f"{other.folder}{page}.html"
        link = "" if code == language else root + path
        found.append(Alternate(other, code == language, (site_url() or root) + path, link))
    return found


def configure(app: Sphinx, config: Config) -> None:
    """What conf.py can not say for every language at once."""
    config.project = config.html_title = str(_("昇腾 NPU 上的 Llama 微调"))
    if url := site_url():
        config.html_baseurl = url + LANGUAGES[config.language].folder


def add_alternates(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    context["alternates"] = alternates(pagename, app.config.language)
    context["site_url"] = app.config.html_baseurl


class ForgetTranslated(SphinxPostTransform):
    """Sphinx's own note that it translated a ``<meta>`` would be written as an attribute, which HTML does not know."""

    default_priority = 900

    def run(self, **kwargs: Any) -> None:
        for meta in self.document.findall(nodes.meta):
            meta.attributes.pop("translated", None)


def connect(app: Sphinx) -> None:
    app.connect("config-inited", configure)
    app.add_post_transform(ForgetTranslated)
    app.connect("html-page-context", add_alternates)
