"""Sphinx configuration: ``python -m sphinx -c . docs OUTPUT``; ``make html`` calls it for both languages."""

import sys
from pathlib import Path

ROOT = Path(__file__).parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs/_ext")]

author = "The authors"  # the project's name: docs/_ext/guide/translation/languages.py, it has one in each language
copyright = "2026, The authors (Apache-2.0; examples: MIT-0)"  # every page links to docs/copyright.rst
language = "zh_CN"
root_doc = "index"
exclude_patterns = ["_ext", "locale"]

extensions = [  # folders of docs/_ext/guide: each names its parts
    "guide.building",  # how a build goes; before MyST-NB
    "myst_nb",  # renders executed notebooks
    "guide.translation",
    "guide.runs",  # runs the examples and shows them
    "guide.facts",  # tables that are generated
    "guide.publishing",  # as a site or as a book
]
if not tags.has("book"):  # noqa: F821 (Sphinx knows the tags: python -m sphinx -t book)
    extensions += ["guide.appearance", "guide.search", "sphinx_copybutton", "sphinx_reredirects"]
examples_cache = str(ROOT / "_build/runs")
benchmark_results = str(ROOT / "benchmarks/results.json")
suites_found = str(ROOT / "benchmarks/found")
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
html_additional_pages = {"404": "404.html", "search": "search.html"}
html_permalinks_icon = "#"
copybutton_selector = (
    "div.cell_input pre, div.not-run pre, div.at-8b-python pre"  # what a reader can run; never an output
)
redirects = {"fine-tune": "fine_tuning.html"}  # where a page was once, or on the site this guide grew from
redirect_html_template_file = str(ROOT / "docs/_templates/redirect.html")
