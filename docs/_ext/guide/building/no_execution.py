"""MyST-NB only renders here; what it would execute with is not imported: nbclient, jupyter-cache, SQLAlchemy, IPython.

They are 330 modules, and ``make bench`` measures the seconds ("starting").  Loaded before MyST-NB, whose client for
``nb_execution_mode = "off"`` is in another module.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec, module_from_spec
from types import ModuleType

from sphinx.application import Sphinx
from sphinx.errors import ConfigError

EXECUTORS = {  # what MyST-NB takes of a module when it is imported, and calls when it executes
    "myst_nb.core.execute.cache": "NotebookClientCache",
    "myst_nb.core.execute.direct": "NotebookClientDirect",
    "myst_nb.core.execute.inline": "NotebookClientInline",
    "IPython.display": "display",
}


def refuse(*_: object) -> None:
    raise ConfigError("examples are executed by engine/ alone: leave MyST-NB's execution_mode 'off'")


def connect(app: Sphinx) -> None:
    for name, taken in EXECUTORS.items():
        module = ModuleType(name)
        setattr(module, taken, refuse)
        sys.modules.setdefault(name, module)
    if ipython := find_spec("IPython"):
        sys.modules.setdefault("IPython", module_from_spec(ipython))  # a package whose parts, lexers for one, are found
