"""Tables that nobody types: what ran where, which versions belong together, what others ran into, what it costs."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from .. import connect_all
from . import (
    architecture,
    before_after,
    benchmark,
    compatibility,
    field_reports,
    install_commands,
    suites,
    trials,
    verification,
    version_sets,
    where_to_send,
)


def setup(app: Sphinx) -> ExtensionMetadata:
    parts = (architecture, before_after, benchmark, verification, where_to_send, version_sets, compatibility)
    return connect_all(app, *parts, field_reports, install_commands, suites, trials)
