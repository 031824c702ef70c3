"""The menu of a page that no table of contents lists is made once for its folder: it is the same for all of them.

Sphinx makes it anew for each page, out of all pages: with many examples that takes longer than what a page shows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

Menu = Callable[..., str]
Made = dict[tuple[Any, ...], str]  # by folder and options


def share(
    made: Made,
    app: Sphinx,
    pagename: str,
    templatename: str,
    context: dict[str, Any],
    doctree: nodes.document | None,
) -> None:
    if doctree and "orphan" in app.env.metadata[pagename]:
        context["toctree"] = partial(menu, made, context["toctree"], pagename.rpartition("/")[0])


def menu(made: Made, make: Menu, folder: str, **options: Any) -> str:
    """What ``make`` returns for these options of the theme."""
    key = (folder, *sorted(options.items()))
    if key not in made:
        made[key] = make(**options)
    return made[key]


def connect(app: Sphinx) -> None:
    app.connect("html-page-context", partial(share, {}), priority=900)  # after all that changes how it is made
