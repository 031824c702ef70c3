"""Training and generation that end when their peak stands."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import rehearsal_report

STEPS = 2  # the optimizer's state is made in the first; the second has everything
BATCHES = 3  # of an evaluation: two to see whether it keeps what it has computed
MICRO_BATCHES = 2  # gradients come into being in the first, and are there beside the second's activations
TOKENS = 4
ROWS = 20_000  # that are looked at for the longest
KEPT = 1 << 20  # bytes a batch that an evaluation may keep on the card and still be cut


def accumulate_twice(module: ModuleType) -> None:
    """More batches for one step take more time, not more memory."""
    arguments = module.TrainingArguments
    finish = arguments.__post_init__

    def post_init(self: Any) -> None:
        asked = self.gradient_accumulation_steps
        if asked > MICRO_BATCHES and not self.deepspeed:  # whose own file may name the number too
            self.gradient_accumulation_steps = MICRO_BATCHES
            rehearsal_report.note(f"{MICRO_BATCHES} of {asked} batches were accumulated for each step")
        finish(self)

    arguments.__post_init__ = post_init


def end_early(module: ModuleType) -> None:
    """Trainer, and TRL's which are made of it: the longest rows first, and few steps."""
    from transformers.trainer_callback import TrainerCallback

    trainer = module.Trainer

    class EndsEarly(TrainerCallback):
        first = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.first = state.global_step

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if state.global_step - self.first < STEPS:
                return
            if state.global_step < state.max_steps:
                rehearsal_report.note(f"training ended after {STEPS} optimizer steps, on its longest rows")
            control.should_training_stop = control.should_log = True
            control.should_evaluate |= args.eval_strategy == "steps"
            control.should_save |= args.save_strategy == "steps"

    module.DEFAULT_CALLBACKS.append(EndsEarly)
    sampler_of = trainer._get_train_sampler

    def longest_first(self: Any, *arguments: Any) -> Any:
        dataset = arguments[0] if arguments and arguments[0] is not None else self.train_dataset
        order = by_length(dataset)
        return Order(order) if order else sampler_of(self, *arguments)

    trainer._get_train_sampler = longest_first
    for name in ("get_eval_dataloader", "get_test_dataloader"):
        setattr(trainer, name, cut(getattr(trainer, name)))


class Order(list[int]):
    """A sampler that gives the numbers of the rows as they are listed."""


def by_length(dataset: Any) -> list[int]:
    """The numbers of the rows, the longest first; empty where no lengths are known."""
    try:
        rows = range(len(dataset))
        lengths = [len(dataset[row]["input_ids"]) for row in rows[:ROWS]]
    except (TypeError, KeyError, IndexError):
        return []
    return sorted(rows[:ROWS], key=lambda row: -lengths[row]) + list(rows[ROWS:])


class Cut:
    """The first batches of a loader, where the others would leave nothing on the card."""

    def __init__(self, loader: Any) -> None:
        self.loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)

    def __len__(self) -> int:
        return len(self.loader)

    def __iter__(self) -> Iterator[Any]:
        before = allocated()
        for number, batch in enumerate(self.loader, 1):
            yield batch
            kept, before = allocated() - before, allocated()
            if number >= BATCHES and kept <= KEPT:
                rehearsal_report.note(f"an evaluation ended after {BATCHES} batches")
                return


def cut(method: Any) -> Any:
    return lambda self, *arguments, **named: Cut(method(self, *arguments, **named))


def allocated() -> int:
    """Bytes on the card of this process."""
    return int(sys.modules["torch"].npu.memory_allocated())


def generate_few(module: ModuleType) -> None:
    """Generation ends after a few tokens; the cache of all others is put on the card before it does."""
    criteria = module.MaxLengthCriteria
    ask = criteria.__call__

    def call(self: Any, input_ids: Any, *arguments: Any, **named: Any) -> Any:
        done = ask(self, input_ids, *arguments, **named)
        if input_ids.device.type != "npu":
            return done
        sizes = self.__dict__.setdefault("sizes", [])
        sizes.append(allocated())
        missing = self.max_length - input_ids.shape[1]
        if len(sizes) == TOKENS - 1 and missing > 1:
            # As much as the last token has added for each that will not come, and what joining one layer's cache
            # takes beside it: a 16th is more than one layer's of all.
            added = max(0, sizes[-1] - sizes[-2])
            self.cache = sys.modules["torch"].empty(added * missing * 17 // 16, dtype=sys.modules["torch"].uint8,
                                                    device=input_ids.device)  # fmt: skip
            rehearsal_report.note(f"generation ended after {TOKENS} tokens, with a cache for all of them")
        if len(sizes) == TOKENS:
            self.cache = None
            return done.fill_(True)
        return done

    criteria.__call__ = call
