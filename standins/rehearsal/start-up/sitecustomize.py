"""Comes first in every Python process of a rehearsal: what is too long or too large there is shortened, from outside.

Python imports a module of this name by itself when it starts.  Nothing is imported here that the program does not
import: each change waits until the library it belongs to has been.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

import rehearsal_files
import rehearsal_report
import rehearsal_shapes
import rehearsal_training

CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "torch": rehearsal_report.watch,
    "torch.library": rehearsal_shapes.keep_compiled,
    "torch.serialization": rehearsal_files.save_holes,
    "torch.storage": rehearsal_files.map_shared,
    "torch.distributed.checkpoint.state_dict_loader": rehearsal_files.plan_beside_the_cards,
    "torch.distributed.checkpoint.state_dict_saver": rehearsal_files.plan_beside_the_cards,
    "safetensors.torch": rehearsal_files.save_safetensors_with_holes,
    "huggingface_hub.file_download": rehearsal_files.download_holes,
    "modelscope_hub._download": rehearsal_files.find_holes,
    "transformers.training_args": rehearsal_training.accumulate_twice,
    "transformers.trainer": rehearsal_training.end_early,
    "transformers.generation.stopping_criteria": rehearsal_training.generate_few,
}


class Changing(importlib.abc.Loader):
    """Runs a module as its own loader does, then changes it."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__.loader = module.__loader__ = self.loader  # type: ignore[union-attr]
        self.loader.exec_module(module)
        CHANGES[module.__name__](module)


class Finder(importlib.abc.MetaPathFinder):
    """Finds the modules to change where they would be found without it."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name not in CHANGES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = Changing(spec.loader)
        return spec


rehearsal_files.copy_with_holes()
sys.meta_path.insert(0, Finder())
