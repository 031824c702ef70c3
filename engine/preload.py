"""Imported once by the fork server: what nearly every example imports, so that their kernels need not."""

from __future__ import annotations

import importlib
import logging

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
    "ipykernel.kernelapp",  # after torch_npu, which takes IPython for a person at a prompt and turns its task queue off
    "ipykernel.ipkernel",
    "engine.bash_kernel",
)

for name in MODULES:
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError) as error:  # RuntimeError: torch could not load its device backend
        # The example that needs it will fail with the same message, at its own line.
        logging.warning("not preloaded: %s (%s)", name, error)
        if name == "torch":
            break  # all that follows would try it again

try:
    from engine import observer

    observer.install()
except ImportError:
    pass
