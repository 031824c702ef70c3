"""What the guide is published as: a site and what belongs to it, or a book (``python -m sphinx -t book``)."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import book, downloads, edit_link, error_box, llms, notebooks, sharing, sitemap


def setup(app: Sphinx) -> ExtensionMetadata:
    if app.tags.has("book"):
        return connect_all(app, book, error_box)
    return connect_all(app, error_box, edit_link, sharing, downloads, sitemap, llms, notebooks)
