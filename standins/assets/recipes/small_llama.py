"""A small model of Llama's architecture with Llama 3's vocabulary, served where the guide asks for the 8B one.

It begins with SmolLM2's embeddings (averaged over the pieces of each Llama 3 token, then reduced by principal
components) and reads, for a minute or two, rated sentences that are not in the data set: see ``pretraining``.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from standins.assets.recipes import DATA, Bench, meta_layout, pretraining, rated_sentences

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaConfig, PreTrainedTokenizerBase

WIDTH = 128
SPREAD = 0.1  # standard deviation of the embeddings to begin with
SAMPLE = 20_000  # tokens that the principal components are found from
SEED = 3


def build(bench: Bench) -> None:
    import torch
    from transformers import AutoTokenizer, LlamaForCausalLM

    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(bench.assets["llama-3-tokenizer"])
    sentences = rated_sentences.outside(bench.taken["vaderSentiment"])
    bench.say(f"embeddings of {len(tokenizer)} tokens")
    embeddings = reduced(translated(tokenizer, bench.assets["smollm2-135m-instruct"]))
    model = LlamaForCausalLM(architecture(len(tokenizer)))
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(embeddings)
    pretraining.pretrain(model, tokenizer, sentences, bench.say)
    model.save_pretrained(bench.files)
    meta_layout.write(
        model, bench.assets["llama-3-tokenizer"] / "original" / "tokenizer.model", bench.files / "original"
    )
    shutil.copyfile(DATA / "small_llama.md", bench.files / "README.md")


def architecture(vocabulary: int) -> LlamaConfig:
    """Llama 3's, except in size and in sharing one matrix between input and output."""
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=3 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=8192,
        rms_norm_eps=1e-5,
        rope_parameters={"rope_type": "default", "rope_theta": 500_000.0},
        tie_word_embeddings=True,
        bos_token_id=128000,
        eos_token_id=128009,
    )


def translated(tokenizer: PreTrainedTokenizerBase, smollm2: Path) -> Tensor:
    """SmolLM2's embedding of each Llama 3 token, (tokens, 576): the mean over SmolLM2's pieces of its text."""
    import torch
    from safetensors import safe_open
    from transformers import AutoTokenizer

    with safe_open(smollm2 / "model.safetensors", "pt") as weights:
        known = weights.get_tensor("model.embed_tokens.weight").float()
    texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
    pieces = AutoTokenizer.from_pretrained(smollm2)(texts, add_special_tokens=False)["input_ids"]
    lengths = torch.tensor([len(piece) for piece in pieces])
    flat = torch.tensor([token for piece in pieces for token in piece])
    return torch.nn.functional.embedding_bag(flat, known, lengths.cumsum(0) - lengths, mode="mean")


def reduced(embeddings: Tensor) -> Tensor:
    """The leading principal components, (tokens, WIDTH), all scaled by one number."""
    import torch

    centred = embeddings - embeddings.mean(0)
    chosen = torch.randperm(len(centred))[:SAMPLE]
    components = torch.linalg.svd(centred[chosen], full_matrices=False).Vh[:WIDTH]
    projected = centred @ components.T
    scaled: Tensor = projected * (SPREAD / projected.std())
    return scaled
