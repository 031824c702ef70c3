"""A small model of Llama's architecture with Llama 3's vocabulary, served where the guide asks for the 8B one.

It begins with SmolLM2's embeddings (averaged over the pieces of each Llama 3 token, reduced by principal components)
and reads, for a minute or two, rated sentences that are not in the data set: see ``pretraining``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor
from torch.nn.functional import embedding_bag
from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase

from standins.assets.recipes import DATA, Bench, meta_layout, pretraining, rated_sentences

WIDTH = 128
SPREAD = 0.1  # standard deviation of the embeddings to begin with
SAMPLE = 20_000  # tokens that the principal components are found from
SEED = 3


def build(bench: Bench) -> None:
    torch.manual_seed(SEED)
    tokenizer = AutoTokenizer.from_pretrained(bench.assets["llama-3-tokenizer"])
    sentences = rated_sentences.outside(bench.taken["vaderSentiment"])
    bench.say(f"embeddings of {len(tokenizer)} tokens")
    known = translated(tokenizer, bench.assets["smollm2-135m-instruct"])
    model = LlamaForCausalLM(architecture(len(tokenizer)))
    pretraining.pretrain(model, (known, principal(known)), tokenizer, sentences, bench.say)
    model.save_pretrained(bench.files)
    tokenizer_model = bench.assets["llama-3-tokenizer"] / "original" / "tokenizer.model"
    meta_layout.write(model, tokenizer_model, bench.files / "original")
    shutil.copyfile(DATA / "small_llama.md", bench.files / "README.md")


def architecture(vocabulary: int) -> LlamaConfig:
    """Llama 3's, except in size and in sharing one matrix between input and output."""
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
    """SmolLM2's embedding of each Llama 3 token, (tokens, 576), around zero: the mean over the pieces of its text."""
    with safe_open(smollm2 / "model.safetensors", "pt") as weights:
        known = weights.get_tensor("model.embed_tokens.weight").float()
    texts = [tokenizer.decode([token]) for token in range(len(tokenizer))]
    pieces = AutoTokenizer.from_pretrained(smollm2)(texts, add_special_tokens=False)["input_ids"]
    lengths = torch.tensor([len(piece) for piece in pieces])
    flat = torch.tensor([token for piece in pieces for token in piece])
    means = embedding_bag(flat, known, lengths.cumsum(0) - lengths, mode="mean")
    return means - means.mean(0)


def principal(known: Tensor) -> Tensor:
    """The matrix (576, WIDTH) onto the leading principal components, scaled to the spread wanted."""
    chosen = known[torch.randperm(len(known))[:SAMPLE]]
    components = torch.linalg.svd(chosen, full_matrices=False).Vh[:WIDTH].T
    scaled: Tensor = components * (SPREAD / (chosen @ components).std())
    return scaled
