"""The folder ``original/`` of a Llama repository: the weights as Meta names, orders and checks them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LlamaConfig, LlamaForCausalLM

NAMES = {  # transformers' name -> Meta's
    "input_layernorm": "attention_norm",
    "self_attn.q_proj": "attention.wq",
    "self_attn.k_proj": "attention.wk",
    "self_attn.v_proj": "attention.wv",
    "self_attn.o_proj": "attention.wo",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "feed_forward.w1",
    "mlp.down_proj": "feed_forward.w2",
    "mlp.up_proj": "feed_forward.w3",
}


def write(model: LlamaForCausalLM, tokenizer: Path, folder: Path) -> None:
    """Write consolidated.00.pth (bfloat16), params.json, tokenizer.model and checklist.chk."""
    import torch

    folder.mkdir()
    torch.save(weights(model), folder / "consolidated.00.pth")
    (folder / "params.json").write_text(json.dumps(parameters(model.config)) + "\n", encoding="utf-8")
    shutil.copyfile(tokenizer, folder / "tokenizer.model")
    checked = ("consolidated.00.pth", "params.json", "tokenizer.model")
    lines = [
        f"{hashlib.md5((folder / name).read_bytes(), usedforsecurity=False).hexdigest()}  {name}" for name in checked
    ]
    (folder / "checklist.chk").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "tokenizer.model").unlink()  # the tokenizer's own asset has it


def parameters(config: LlamaConfig) -> dict[str, float]:
    """Meta's ``params.json``; ``multiple_of`` is such that its formula gives this intermediate size."""
    return {
        "dim": config.hidden_size,
        "n_layers": config.num_hidden_layers,
        "n_heads": config.num_attention_heads,
        "n_kv_heads": config.num_key_value_heads,
        "vocab_size": config.vocab_size,
        "multiple_of": config.hidden_size,
        "ffn_dim_multiplier": 1.0,
        "norm_eps": config.rms_norm_eps,
        "rope_theta": config.rope_parameters["rope_theta"],
    }


def weights(model: LlamaForCausalLM) -> dict[str, Tensor]:
    """All weights under Meta's names, in bfloat16 as Meta publishes them."""
    import torch

    config = model.config
    embeddings = model.model.embed_tokens.weight.detach().to(torch.bfloat16)
    found = {
        "tok_embeddings.weight": embeddings,
        "norm.weight": model.model.norm.weight.detach().to(torch.bfloat16),
        "output.weight": embeddings,
    }
    heads = {"attention.wq": config.num_attention_heads, "attention.wk": config.num_key_value_heads}
    for number, layer in enumerate(model.model.layers):
        for ours, theirs in NAMES.items():
            weight = layer.get_parameter(f"{ours}.weight").detach().to(torch.bfloat16)
            ordered = interleaved(weight, heads[theirs]) if theirs in heads else weight
            found[f"layers.{number}.{theirs}.weight"] = ordered.contiguous()
    return found


def interleaved(weight: Tensor, heads: int) -> Tensor:
    """Meta rotates neighbouring dimensions of a head, transformers its two halves: reorder the rows."""
    rows, columns = weight.shape
    return weight.view(heads, 2, rows // heads // 2, columns).transpose(1, 2).reshape(rows, columns)
