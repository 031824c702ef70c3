"""The guide as a book: epub, and the PDF that is printed from it (``print_book.py``).

``python -m sphinx -t book -b epub`` shows the same executed examples.  Nothing in a book can be pressed, and it holds
the chapters only: what they link to beside them, it leaves to the site.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.locale import get_translation
from sphinx.transforms.post_transforms import SphinxPostTransform

from ..addresses import site_url
from ..translation.languages import LANGUAGES
from .downloads import NAME

_ = get_translation("guide")
STYLE = Path(__file__).parents[3] / "_static/book.css"
SUFFIX = ".xhtml"


def configure(app: Sphinx, config: Config) -> None:
    """Paper's values in place of the screen's; after languages.py has named the project."""
    language = LANGUAGES[config.language]
    config.templates_path, config.html_additional_pages = [], {}
    config.html_static_path, config.html_css_files, config.html_js_files = [str(STYLE)], [STYLE.name], []
    config.html_favicon = None
    config.pygments_style = "a11y-high-contrast-light"
    config.version = time.strftime("%Y.%m.%d", time.gmtime())
    config.epub_basename = f"{NAME}.{language.tag}"
    config.epub_language = language.tag
    config.epub_title = config.project
    config.epub_description = str(
        _("用 transformers 在昇腾 NPU 上微调 Llama：每一行代码都执行过，每一段输出都由那次执行打印。")
    )
    config.epub_contributor = config.author
    config.epub_uid = config.epub_identifier = config.epub_basename  # the same: epubcheck NCX-001
    config.epub_show_urls = "no"
    config.epub_use_index = False
    config.epub_tocdup, config.epub_tocscope = False, "includehidden"  # pages below a page as well


class LeaveToSite(SphinxPostTransform):
    """A link to what is no chapter leads to the site, where it is known where that is; else it is only text."""

    default_priority = 900  # after the extensions have added theirs

    def run(self, **kwargs: Any) -> None:
        chapters = {f"{page}{SUFFIX}" for page in self.env.found_docs if not is_example(page)}
        for link in list(self.document.findall(nodes.reference)):
            target = urlsplit(link.get("refuri", ""))
            if target.netloc or not target.path or target.path in chapters:
                continue
            if site_url():
                path = target.path.removesuffix(SUFFIX) + (".html" if target.path.endswith(SUFFIX) else "")
                link["refuri"] = site_url() + LANGUAGES[self.config.language].folder + path
            else:
                link.replace_self(link.children)


def is_example(page: str) -> bool:
    """Whether the page is a whole example, whose cells the chapters show."""
    return page.startswith("examples/")


def leave_out_examples(app: Sphinx, env: BuildEnvironment) -> None:
    examples = [f"{page}{SUFFIX}" for page in env.found_docs if is_example(page)]
    app.config.epub_exclude_files = [*examples, ".buildinfo.bak"]  # Sphinx leaves it when a setting has changed


def own_style_only(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: object) -> None:
    """No scripts; and MyST-NB's stylesheet is copied when the book is packed already."""
    context["script_files"] = []
    context["css_files"] = [file for file in context["css_files"] if "mystnb" not in str(file.filename)]


def connect(app: Sphinx) -> None:
    app.connect("config-inited", configure, priority=600)
    app.connect("env-updated", leave_out_examples)
    app.connect("html-page-context", own_style_only, priority=900)  # after all that add something
    app.add_post_transform(LeaveToSite)
