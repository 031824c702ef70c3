"""The words that extensions and templates write themselves: catalogue ``guide``, Chinese in, English out.

Python says ``_("...")``, a template ``say("...")``; ``make translations`` collects both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.locale import get_translation
from sphinx.util.i18n import CatalogInfo

CATALOGUE = "guide"


def add_translator(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    context["say"] = get_translation(CATALOGUE)


def connect(app: Sphinx) -> None:
    locale = Path(app.srcdir) / "locale"
    for source in locale.glob(f"*/LC_MESSAGES/{CATALOGUE}.po"):
        catalogue = CatalogInfo(str(source.parent), CATALOGUE, "utf-8")
        if catalogue.is_outdated():
            catalogue.write_mo(source.parts[-3])
    app.add_message_catalog(CATALOGUE, locale)
    app.connect("html-page-context", add_translator)
