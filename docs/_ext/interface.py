"""The words that extensions write themselves, translated through the catalogue ``guide`` (Chinese in, English out)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.i18n import CatalogInfo

CATALOGUE = "guide"


def setup(app: Sphinx) -> dict[str, Any]:
    locale = Path(app.srcdir) / "locale"
    for source in locale.glob(f"*/LC_MESSAGES/{CATALOGUE}.po"):
        catalogue = CatalogInfo(str(source.parent), CATALOGUE, "utf-8")
        if catalogue.is_outdated():
            catalogue.write_mo(source.parts[-3])
    app.add_message_catalog(CATALOGUE, locale)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
