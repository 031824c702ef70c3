"""Is what the examples teach fast?  ``map`` and ``Trainer`` as they use them, against bare loops over the same data."""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any

import datasets
import torch
from datasets import load_dataset
from torch.utils.data import DataLoader
from transformers import (
    AutoTokenizer,
    DataCollatorWithPadding,
    LlamaConfig,
    LlamaForSequenceClassification,
    Trainer,
    TrainingArguments,
)

BATCH = 16  # as in examples/fine_tuning.py
MAP_BATCH = 1000  # rows that Dataset.map hands on at once
SIZES: dict[str, Any] = {"hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 2}


def model_of(vocabulary: int) -> Any:
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=vocabulary, num_attention_heads=4, num_key_value_heads=2, num_labels=5, pad_token_id=0, **SIZES
    )
    return LlamaForSequenceClassification(config)


def per_second(count: int, work: Callable[[], object]) -> float:
    begin = time.perf_counter()
    work()
    return round(count / (time.perf_counter() - begin), 1)


@dataclass(frozen=True)
class Material:
    """What both ways work on: reviews, their tokens, and the training arguments of the fine-tuning chapter."""

    tokenizer: Any
    reviews: Any
    steps: int

    @classmethod
    def load(cls, rows: int, steps: int) -> Material:
        tokenizer = AutoTokenizer.from_pretrained("meta-llama/Meta-Llama-3-8B-Instruct")
        tokenizer.pad_token = tokenizer.eos_token
        return cls(tokenizer, load_dataset("Yelp/yelp_review_full", split="train").select(range(rows)), steps)

    def tokenize(self, examples: dict[str, list[str]]) -> Any:
        return self.tokenizer(examples["text"], truncation=True, max_length=128)

    def map(self) -> Any:
        return self.reviews.map(self.tokenize, batched=True, remove_columns=["text"])

    def loop_over_texts(self) -> None:
        texts = self.reviews["text"]
        for start in range(0, len(texts), MAP_BATCH):
            self.tokenize({"text": texts[start : start + MAP_BATCH]})

    def trainer(self, encoded: Any) -> Callable[[], object]:
        arguments = TrainingArguments(
            output_dir="out",
            max_steps=self.steps,
            per_device_train_batch_size=BATCH,
            save_strategy="no",
            disable_tqdm=True,
            dataloader_pin_memory=False,
        )
        collator = DataCollatorWithPadding(self.tokenizer)
        model = model_of(len(self.tokenizer))
        trainer = Trainer(model=model, args=arguments, train_dataset=encoded, data_collator=collator)
        return lambda: trainer.train()

    def training_loop(self, encoded: Any) -> Callable[[], object]:
        model = model_of(len(self.tokenizer)).train()
        optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, fused=True)  # Trainer's own default
        collator = DataCollatorWithPadding(self.tokenizer)
        batches = DataLoader(encoded.rename_column("label", "labels"), BATCH, shuffle=True, collate_fn=collator)

        def train() -> None:
            for batch in islice(cycle(batches), self.steps):
                model(**batch).loss.backward()
                torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                optimizer.step()
                optimizer.zero_grad()

        return train


def measure(rounds: int, rows: int, steps: int) -> dict[str, list[float]]:
    datasets.disable_progress_bars()
    datasets.disable_caching()  # each round maps anew
    material = Material.load(rows, steps)
    encoded = material.map()
    tokens = sum(map(len, encoded["input_ids"]))
    found: dict[str, list[float]] = {name: [] for name in ("map/guide", "map/loop", "train/guide", "train/loop")}
    for _ in range(rounds):
        found["map/guide"].append(per_second(tokens, material.map))
        found["map/loop"].append(per_second(tokens, material.loop_over_texts))
        found["train/guide"].append(per_second(steps, material.trainer(encoded)))
        found["train/loop"].append(per_second(steps, material.training_loop(encoded)))
    return found


if __name__ == "__main__":
    with contextlib.redirect_stdout(sys.stderr), contextlib.chdir(tempfile.mkdtemp()):
        measured = measure(rounds=int(sys.argv[1]), rows=int(sys.argv[2]), steps=int(sys.argv[3]))
    print(json.dumps(measured))
