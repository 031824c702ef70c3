"""Comes first in the Python processes of the plain runs: the Trainer ends there after a few steps.

That training reaches what its page shows is seen where the engine runs it; a plain run shows that the file is whole.
Python imports a module of this name by itself, and nothing is changed before the program imports the Trainer.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

STEPS = 3


def end_early(trainer: ModuleType) -> None:
    """Evaluate and save as at the end of an epoch, and end."""
    from transformers.trainer_callback import TrainerCallback

    class EndsEarly(TrainerCallback):
        first = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.first = state.global_step

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step - self.first >= STEPS:
                control.should_training_stop = control.should_log = True
                control.should_evaluate |= args.eval_strategy == "steps"
                control.should_save |= args.save_strategy == "steps"

    trainer.DEFAULT_CALLBACKS.append(EndsEarly)  # type: ignore[attr-defined]


class AfterTrainer:
    """Finds transformers.trainer where it would be found without it."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != "transformers.trainer":
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_change(module: ModuleType) -> None:
                load(module)
                end_early(module)

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, AfterTrainer())
