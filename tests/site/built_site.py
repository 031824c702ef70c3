"""The built site as the tests see it, and the windows it is looked at through."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE = {"width": 390, "height": 844}
SMALL_PHONE = {"width": 360, "height": 780}
DESKTOP = {"width": 1280, "height": 900}
WIDER_LETTERS = """
document.addEventListener("DOMContentLoaded", () => {
  const wider = document.createElement("style");
  const code = ":is(pre, code), :is(pre, code) *";
  wider.textContent = `* { letter-spacing: 0.05em !important; } ${code} { letter-spacing: 0.06em !important; }`;
  document.head.append(wider);
});
"""  # a tenth wider: a Latin letter is half an em wide, in code 0.6


def forms() -> list[str]:
    """The forms of the guide that can be made here: a PDF where WeasyPrint finds Pango."""
    try:
        import weasyprint  # noqa: F401
    except OSError:
        return ["epub", "zip"]
    return ["epub", "pdf", "zip"]


@dataclass(frozen=True)
class Site:
    """The built site."""

    folder: Path
    url: str
    """Where it is served, with a slash at its end; the build was told so as ``SITE_URL``."""

    @property
    def pages(self) -> list[str]:
        """Every page of both languages, as paths below the root; those that only lead to another left out."""
        found = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*.html"))
        return sorted(page for page in found if 'http-equiv="refresh"' not in self.text(page))

    @property
    def articles(self) -> list[str]:
        """The main language's pages that somebody wrote."""
        own = {"404.html", "search.html", "genindex.html"}
        return [page for page in self.pages if "/" not in page and page not in own]

    def path_of(self, url: str) -> str:
        """What an address of the site is below its root."""
        return unquote(urlsplit(url).path).removeprefix(urlsplit(self.url).path) or "index.html"

    def text(self, path: str) -> str:
        return (self.folder / path).read_text(encoding="utf-8")
