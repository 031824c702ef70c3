"""Makes unchanged pages anew when what they are made by has changed.

Sphinx compares the pages and the values of conf.py with those of the last build.  What these extensions do, how pages
look, and the words they write themselves is neither: digests of it are added to the values that Sphinx compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edit_link import repository_url
from languages import site_url
from sphinx.application import Sphinx
from sphinx.config import Config

HERE = Path(__file__).parent
DOCS = HERE.parent


def digest(files: Iterable[Path], *texts: str) -> str:
    """Of the names and contents of files, and of texts beside them.

    >>> digest([], "a", "b") == digest([], "ab")
    False
    """
    found = hashlib.sha256()
    for file in sorted(files):
        found.update(hashlib.sha256(file.name.encode() + b"\0" + file.read_bytes()).digest())
    for text in texts:
        found.update(hashlib.sha256(text.encode()).digest())
    return found.hexdigest()


def note(app: Sphinx, config: Config) -> None:
    config.read_by = digest([*HERE.glob("*.py"), *(Path(app.confdir) / "requirements").glob("*.txt")])
    looks = [path for folder in ("_templates", "_static") for path in (DOCS / folder).iterdir()]
    words = (DOCS / "locale").glob("*/LC_MESSAGES/guide.po")
    config.written_by = digest([*looks, *words], site_url(), repository_url())


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_config_value("read_by", "", "env", str)  # another value: every page is read and written again
    app.add_config_value("written_by", "", "html", str)  # another value: every page is written again
    app.connect("config-inited", note)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
