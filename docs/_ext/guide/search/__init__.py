"""The search of the site: an index of sections, asked by ``_static/search.js``.

Sphinx's own finds pages that have every word of a query, which a question never meets; Pagefind, tried on the questions
of ``tests/site/questions.toml``, asks for every word as well.  Here a section may lack some, filler words count for
nothing, and words that mean the same find the same.
"""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import index, units


def setup(app: Sphinx) -> ExtensionMetadata:
    return connect_all(app, units, index)
