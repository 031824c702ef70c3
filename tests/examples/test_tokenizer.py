"""The ids that readers compare theirs with."""

from __future__ import annotations

import ast
from collections.abc import Callable

Printed = Callable[[str, str], str]

SENTENCE_IDS = [
    128000, 5519, 539, 1812, 91485, 304, 279, 22747, 315, 89263, 11, 369, 814, 527, 27545, 323, 4062, 311, 19788, 13,
]  # fmt: skip


def test_the_sentence_has_the_ids_of_llama_3(printed: Printed) -> None:
    encoded = ast.literal_eval(printed("tokenizer.py", "encode"))
    assert encoded == {"input_ids": SENTENCE_IDS, "attention_mask": [1] * len(SENTENCE_IDS)}


def test_decoding_gives_the_sentence_back(printed: Printed) -> None:
    _tokens, sentence = printed("tokenizer.py", "tokens").splitlines()
    assert sentence == "Do not meddle in the affairs of wizards, for they are subtle and quick to anger."
    assert printed("tokenizer.py", "chinese").endswith("不要插手巫师的事务，他们心思难测，又容易动怒。\n")


def test_padding_needs_a_pad_token_and_a_length(printed: Printed) -> None:
    assert "does not have a padding token" in printed("tokenizer.py", "no_pad")
    ragged = ast.literal_eval(printed("tokenizer.py", "no_length"))
    assert len(set(ragged)) > 1, "without max_length nothing is padded"
    assert printed("tokenizer.py", "batch").startswith("torch.Size([2, 16])")


def test_generation_pads_on_the_left(printed: Printed) -> None:
    assert printed("tokenizer.py", "sides").startswith("tensor([[0, ")
