"""Comes first in the Python processes of the plain runs: the Trainer ends there after a few steps.

That training reaches what its page shows is seen where the engine runs it; a plain run shows that the file is whole.
Python imports a module of this name by itself, and nothing is changed before the program imports the Trainer; a kernel
that has it already executes this text.
"""

from __future__ import annotations

import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

STEPS = 3
EVALUATED = 16  # rows


def end_early(trainer: ModuleType) -> None:
    """Evaluate and save as at the end of an epoch, and end; evaluating takes a few rows only."""
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

    evaluate = trainer.Trainer.evaluate

    def evaluate_few(self: Any, eval_dataset: Any = None, *arguments: Any, **named: Any) -> Any:
        rows = self.eval_dataset if eval_dataset is None else eval_dataset
        few = {name: first(part) for name, part in rows.items()} if isinstance(rows, dict) else first(rows)
        return evaluate(self, few, *arguments, **named)

    trainer.Trainer.evaluate = evaluate_few  # type: ignore[attr-defined]
    trainer.DEFAULT_CALLBACKS.append(EndsEarly)  # type: ignore[attr-defined]


def first(rows: Any) -> Any:
    return rows.select(range(min(EVALUATED, len(rows))))


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


if "transformers.trainer" in sys.modules:
    end_early(sys.modules["transformers.trainer"])
else:
    sys.meta_path.insert(0, AfterTrainer())

if __name__ == "sitecustomize":  # another of this name may hide torch_npu: it has its turn, too
    hidden = PathFinder.find_spec(__name__, [folder for folder in sys.path if Path(folder) != Path(__file__).parent])
    if hidden is not None and hidden.loader is not None:
        hidden.loader.exec_module(module_from_spec(hidden))
