"""Sphinx configuration: ``python -m sphinx -c . docs OUTPUT``; ``make html`` calls it for both languages."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs/_ext")]

author = "The authors"  # the project's name: docs/_ext/languages.py, it has one in each language
copyright = "2026, The authors"
language = "zh_CN"
root_doc = "index"
exclude_patterns = ["_ext", "locale"]

extensions = [
    "collector",  # of garbage: rests while the build starts
    "no_execution",  # MyST-NB's own, which is not used
    "myst_nb",  # renders executed notebooks
    "interface",  # translates what the extensions below say
    "handed_in",  # reads runs of other devices
    "execution",  # runs examples/ before anything is read
    "cells",  # .. cells:: shows them on pages
    "badge",  # what a page ran on, and its downloads
    "at_8b",  # the same examples with the real 8B
    "device_tabs",  # outputs of several devices
    "benchmark",  # what the last "make bench" measured
    "verification",  # all runs of the build in a table
    "version_sets",  # what ran with which versions
    "typed_code",  # forbids code that did not run
    "compatibility",  # which versions belong together
    "field_reports",  # what people ran into, and where it is answered
    "install_commands",  # what installs each set of versions
    "anchors",  # addresses of Chinese sections
    "folding",  # long logs and outputs
    "languages",  # each page leads to itself in the others
    "chinese_lines",
    "rebuilding",  # unchanged pages, when what they are made by has changed
]
ON_SCREEN = [
    "chinese_search",
    "search_ranking",
    "dark_mode",
    "accessibility",
    "menu",
    "reading_time",
    "edit_link",
    "sharing",  # description and OpenGraph card
    "downloads",  # the guide as epub, PDF, zip
    "sitemap",
    "llms",  # llms.txt, llms-full.txt
    "sphinx_copybutton",
    "sphinx_reredirects",
]
extensions += ["book"] if tags.has("book") else ON_SCREEN  # noqa: F821 (Sphinx knows the tags: python -m sphinx -t book)
examples_cache = str(ROOT / "_build/runs")
benchmark_results = str(ROOT / "benchmarks/results.json")
records_folder = str(ROOT / "records")
nb_merge_streams = True
nb_mime_priority_overrides = [("*", "text/html", 0), ("*", "image/svg+xml", 10), ("*", "image/png", 20)]
highlight_language = "none"  # a literal block without a language is no Python

locale_dirs = ["locale"]
gettext_compact = False

html_theme = "sphinx_rtd_theme"
html_favicon = "docs/_static/favicon.svg"
html_static_path = ["docs/_static"]
templates_path = ["docs/_templates"]
html_css_files = ["guide.css"]
html_js_files = ["page.js"]
html_copy_source = False
html_show_sourcelink = False
html_additional_pages = {"404": "404.html"}
html_permalinks_icon = "#"
copybutton_selector = (
    "div.cell_input pre, div.not-run pre, div.at-8b-python pre"  # what a reader can run; never an output
)
redirects = {"fine-tune": "fine_tuning.html"}  # where a page was once, or on the site this guide grew from
redirect_html_template_file = str(ROOT / "docs/_templates/redirect.html")
