"""Imported once by the fork server: what nearly every example imports, so that their kernels need not."""

from __future__ import annotations

import gc
import importlib
import logging
import os
import sys
from pathlib import Path
from types import ModuleType

MODULES = (
    "tqdm.auto",  # before IPython: a progress bar shall look as in a terminal
    "matplotlib.pyplot",
    "pandas",
    "torch",  # brings torch_npu along where it can be loaded
    "torch.utils.data",
    "transformers",
    "transformers.trainer",
    "transformers.data.data_collator",
    "transformers.models.auto.modeling_auto",
    "transformers.models.llama.modeling_llama",
    "datasets",
    "evaluate",
    "deepspeed",  # each Trainer imports it
    "engine.kernel.bare",  # after torch_npu, which takes IPython for a person at a prompt and turns its task queue off
)

gc.disable()  # so many new objects would be looked through again and again: a second

for name in MODULES:
    if name == "deepspeed" and not sys.modules.get("torch_npu"):
        continue  # it prints that there is no accelerator, which is for the cell to show
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError) as error:  # RuntimeError: torch could not load its device backend
        # The example that needs it will fail with the same message, at its own line.
        logging.warning("not preloaded: %s (%s)", name, error)
        if name == "torch":
            break  # all that follows would try it again


def below(folder: str) -> list[tuple[ModuleType, str]]:
    """Modules and names of theirs that hold a path below this folder."""
    return [
        (module, name)
        for module in list(sys.modules.values())
        for name, value in list(getattr(module, "__dict__", {}).items())
        # type() and not isinstance(): some modules warn when an attribute of theirs is looked at
        if issubclass(type(value), str | Path) and str(value).startswith(folder)
    ]


try:
    from engine.observing import observer

    observer.install()
except ImportError:
    pass

# A kernel that looks through all modules, or whose collector looks at all objects, unshares their memory: 100 MB.
BELOW_HOME = below(os.environ["HF_HOME"]) if "HF_HOME" in os.environ else []
gc.freeze()
gc.enable()
