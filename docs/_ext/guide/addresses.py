"""Where the site and its repository are, if that is known: the environment says so.

``SITE_URL`` and ``REPOSITORY_URL``; Read the Docs and GitHub's workflows say it by themselves.
"""

from __future__ import annotations

import os


def site_url() -> str:
    """The root of the published site with a slash at its end; empty when the site is not published."""
    url = os.environ.get("SITE_URL") or os.environ.get("READTHEDOCS_CANONICAL_URL", "")
    return url.rstrip("/") + "/" if url else ""


def repository_url() -> str:
    """The address of the repository, empty when it is not known."""
    if url := os.environ.get("REPOSITORY_URL"):
        return url.rstrip("/").removesuffix(".git")
    if name := os.environ.get("GITHUB_REPOSITORY"):
        return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}"
    return ""
