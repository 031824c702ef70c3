"""Offers other forms of the guide for download, at the foot of every page: those that are built together with it.

``forms`` names them, ``make html FORMS="epub pdf zip"``; a book of an older build is never offered.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError
from sphinx.locale import get_translation

from ..translation.languages import LANGUAGES

_ = get_translation("guide")
NAME = "llama-on-ascend"
FILES = {"epub": f"{NAME}.%s.epub", "pdf": f"{NAME}.%s.pdf", "zip": f"{NAME}.zip"}  # at the root of the site


@dataclass(frozen=True)
class Download:
    """A form of the whole guide."""

    label: str
    link: str
    """From the page that is shown."""


def check(app: Sphinx, config: Config) -> None:
    if unknown := set(config.forms.split()) - FILES.keys():
        raise ConfigError(f"there is no form {', '.join(sorted(unknown))} of the guide; there are: {' '.join(FILES)}")


def downloads(page: str, language: str, forms: list[str]) -> list[Download]:
    """What can be downloaded, seen from this page."""
    labels = {"epub": "EPUB", "pdf": "PDF", "zip": _("整个网站（zip，离线阅读）")}
    root = "../" * (page.count("/") + LANGUAGES[language].folder.count("/"))
    tag = LANGUAGES[language].tag
    return [
        Download(str(labels[form]), root + (file % tag if "%" in file else file))
        for form, file in FILES.items()
        if form in forms
    ]


def add(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    context["downloads"] = downloads(pagename, app.config.language, app.config.forms.split())


def connect(app: Sphinx) -> None:
    app.add_config_value("forms", "", "html", str)
    app.connect("config-inited", check)
    app.connect("html-page-context", add)
