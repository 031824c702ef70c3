"""MyST-NB only renders here, so what it would execute with is not imported: nbclient, jupyter-cache, SQLAlchemy.

They are 260 modules, and ``make bench`` measures the seconds ("starting").  Loaded before MyST-NB, whose client for
``nb_execution_mode = "off"`` is in another module.
"""

from __future__ import annotations

import sys
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.errors import ConfigError

EXECUTORS = {  # modules of myst_nb.core.execute
    "cache": "NotebookClientCache",
    "direct": "NotebookClientDirect",
    "inline": "NotebookClientInline",
}


def refuse(*_: object) -> None:
    raise ConfigError("examples are executed by engine/ alone: leave MyST-NB's execution_mode 'off'")


def connect(app: Sphinx) -> None:
    for name, client in EXECUTORS.items():
        module = ModuleType(f"myst_nb.core.execute.{name}")
        setattr(module, client, refuse)
        sys.modules.setdefault(module.__name__, module)
