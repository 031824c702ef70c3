"""Makes unchanged pages anew when what they are made by has changed.

Sphinx compares the pages and the values of conf.py with those of the last build.  What these extensions do, how pages
look, and the words they write themselves is neither: digests of it are added to the values that Sphinx compares.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

from ..addresses import repository_url, site_url

GUIDE = Path(__file__).parents[1]
DOCS = GUIDE.parents[1]


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
    config.read_by = digest([*GUIDE.rglob("*.py"), *(Path(app.confdir) / "requirements").glob("*.txt")])
    looks = [path for folder in ("_templates", "_static") for path in (DOCS / folder).iterdir()]
    words = (DOCS / "locale").glob("*/LC_MESSAGES/guide.po")
    config.written_by = digest([*looks, *words], site_url(), repository_url())


def unfinished(app: Sphinx) -> Path:
    """A file that is there while pages are written: Sphinx notes that they were read before it has written them."""
    return Path(app.doctreedir) / "unfinished"


def outdated(app: Sphinx, env: BuildEnvironment, added: set[str], changed: set[str], removed: set[str]) -> list[str]:
    """All pages when the build before was killed or failed while it wrote: nobody knows which of them it reached."""
    return sorted(env.all_docs) if unfinished(app).exists() else []


def begin(app: Sphinx, env: BuildEnvironment) -> None:
    unfinished(app).touch()


def end(app: Sphinx, exception: Exception | None) -> None:
    if exception is None:
        unfinished(app).unlink(missing_ok=True)


def connect(app: Sphinx) -> None:
    app.add_config_value("read_by", "", "env", str)  # another value: every page is read and written again
    app.add_config_value("written_by", "", "html", str)  # another value: every page is written again
    app.connect("config-inited", note)
    app.connect("env-get-outdated", outdated)
    app.connect("env-updated", begin, priority=900)  # after all that may refuse what was read
    app.connect("build-finished", end)
