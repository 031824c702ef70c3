"""Comes first in every Python process that an example starts, and watches there what :mod:`engine.observing` watches.

Python imports a module of this name by itself.  It leaves ``sys.path`` as it would be without it, imports nothing until
the program imports torch, and gives way to another module of its name.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH120 PTH100 (pathlib would be imported for it)


class AfterTorch:
    """Finds torch where it would be found without it, and begins to watch when it has been imported."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "torch":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_watch(module: ModuleType) -> None:
                # Not before: libraries ask whether there is a torch, and import it later.
                sys.meta_path.remove(self)
                load(module)
                watch()

            spec.loader.exec_module = load_and_watch  # type: ignore[method-assign]
        return spec


def watch() -> None:
    """With the observer of the engine, of which this process knows nothing else."""
    observer = loaded("observer", os.path.join(HERE, "../observer.py"))  # noqa: PTH118
    observer.install()
    observer.report_at_end()


def loaded(name: str, file: str) -> Any:
    """A module of ours that no program can import."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", file)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if "EXAMPLE_ZYGOTE" in os.environ:
    loaded("hand_over", os.path.join(HERE, "hand_over.py")).hand_over()  # noqa: PTH118
sys.path[:] = [entry for entry in sys.path if entry != HERE]
sys.meta_path.insert(0, AfterTorch())
own = sys.modules.pop("sitecustomize")
try:
    importlib.import_module("sitecustomize")  # another one
except ImportError:
    sys.modules["sitecustomize"] = own
