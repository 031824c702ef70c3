"""The search of the site."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import chinese_search, search_ranking


def setup(app: Sphinx) -> ExtensionMetadata:
    return connect_all(app, chinese_search, search_ranking)
