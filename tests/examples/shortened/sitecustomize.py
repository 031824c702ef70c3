"""Comes first in the Python processes of the plain runs: the Trainer ends soon there, and long ones have few layers.

That training reaches what its page shows is seen where the engine runs it; a plain run shows that the file is whole.
Python imports a module of this name by itself, and nothing is changed before the program imports what is changed; a
kernel that has it already executes this text.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType
from typing import Any

STEPS = 3
EVALUATED = 16  # rows
WHOLE = 30  # layers of SmolLM2-135M
FEW = int(os.environ.get("FEW_LAYERS", WHOLE))


def with_few_layers(models: ModuleType) -> None:
    """Of a whole one only the first are loaded; who saves them has saved a small model."""
    load = models.PreTrainedModel.from_pretrained.__func__

    def load_few(kind: Any, name: Any, *arguments: Any, config: Any = None, **named: Any) -> Any:
        if getattr(config, "num_hidden_layers", 0) == WHOLE:
            config.num_hidden_layers = FEW
        return load(kind, name, *arguments, config=config, **named)

    models.PreTrainedModel.from_pretrained = classmethod(load_few)  # type: ignore[attr-defined]


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


CHANGES = {"transformers.modeling_utils": with_few_layers, "transformers.trainer": end_early}


class Changing:
    """Finds these modules where they would be found without it."""

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in CHANGES:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_change(module: ModuleType) -> None:
                load(module)
                CHANGES[name](module)

            spec.loader.exec_module = load_and_change  # type: ignore[method-assign]
        return spec


for name, change in CHANGES.items():
    if name in sys.modules:
        change(sys.modules[name])
sys.meta_path.insert(0, Changing())

if __name__ == "sitecustomize":  # another of this name may hide torch_npu: it has its turn, too
    hidden = PathFinder.find_spec(__name__, [folder for folder in sys.path if Path(folder) != Path(__file__).parent])
    if hidden is not None and hidden.loader is not None:
        hidden.loader.exec_module(module_from_spec(hidden))
