"""What a forked process does to be as a fresh one, though the libraries were imported before it began."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from typing import TextIO

OBSERVER = "_engine.observing.observer"  # as a forked process knows it


def set_environment(environment: Mapping[str, str]) -> None:
    """These variables and no others."""
    os.environ.clear()
    os.environ.update(environment)


def hide(*packages: str) -> None:
    """What is imported of them goes on; an example that asks for it does not find it, as on its reader's host.

    Under another name it stays known: ``inspect`` looks through all modules for one that it does not find.
    """
    for name in [name for name in sys.modules if name.partition(".")[0] in packages]:
        sys.modules[f"_{name}"] = sys.modules.pop(name)


def redirect_loggers(at_import: TextIO) -> None:
    """Libraries' warnings belong to the program: a logger set up before the fork keeps the stream it found then."""
    for logger in list(logging.root.manager.loggerDict.values()):
        for handler in getattr(logger, "handlers", ()):
            if isinstance(handler, logging.StreamHandler) and handler.stream is at_import:
                handler.setStream(sys.stderr)


def draw_anew() -> None:
    """Python's own random numbers begin anew in each process, torch's begin with the same; NumPy's would go on."""
    if numpy := sys.modules.get("numpy"):
        numpy.random.seed()
