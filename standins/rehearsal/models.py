"""Models of which a rehearsal knows the true shapes: what their config.json says, and every tensor that follows."""

from __future__ import annotations

import json
import struct
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

CATALOGUE = Path(__file__).with_name("models.toml")
SHARD = 5_000_000_000  # bytes, as transformers 4 cut the public repositories
BYTES = 2  # of a bfloat16, in which all of them are published
FAMILIES = ("llama", "qwen2", "qwen3")

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Tensor:
    """A weight as it is named in the files, without its numbers."""

    name: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return prod(self.shape) * BYTES


@dataclass(frozen=True)
class Model:
    """A model under its public id."""

    id: str
    config: Config
    """What its config.json says."""
    modelscope: str = ""
    """Its id there, where it is another one."""
    parameters: int = 0
    """How many its page gives; 0 for a reader's own config."""

    def tensors(self) -> Iterator[Tensor]:
        """All that its weight files hold, in their order."""
        of = self.config
        width, inner = of["hidden_size"], of["intermediate_size"]
        head = of.get("head_dim") or width // of["num_attention_heads"]
        queries, keys = head * of["num_attention_heads"], head * of["num_key_value_heads"]
        yield Tensor("model.embed_tokens.weight", (of["vocab_size"], width))
        for number in range(of["num_hidden_layers"]):
            layer = f"model.layers.{number}"
            yield Tensor(f"{layer}.input_layernorm.weight", (width,))
            for name, rows in (("q", queries), ("k", keys), ("v", keys)):
                yield Tensor(f"{layer}.self_attn.{name}_proj.weight", (rows, width))
                if of["model_type"] == "qwen2" or of.get("attention_bias"):
                    yield Tensor(f"{layer}.self_attn.{name}_proj.bias", (rows,))
            yield Tensor(f"{layer}.self_attn.o_proj.weight", (width, queries))
            if of["model_type"] == "qwen3":
                yield Tensor(f"{layer}.self_attn.q_norm.weight", (head,))
                yield Tensor(f"{layer}.self_attn.k_norm.weight", (head,))
            yield Tensor(f"{layer}.post_attention_layernorm.weight", (width,))
            yield Tensor(f"{layer}.mlp.gate_proj.weight", (inner, width))
            yield Tensor(f"{layer}.mlp.up_proj.weight", (inner, width))
            yield Tensor(f"{layer}.mlp.down_proj.weight", (width, inner))
        yield Tensor("model.norm.weight", (width,))
        if not of.get("tie_word_embeddings"):
            yield Tensor("lm_head.weight", (of["vocab_size"], width))

    def write(self, folder: Path) -> None:
        """config.json and weight files of the true size in the folder: all of holes, they take no room on the disk."""
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(dict(self.config), indent=2) + "\n", encoding="utf-8")
        shards = list(self._shards())
        index: dict[str, str] = {}
        for number, shard in enumerate(shards, 1):
            file = "model.safetensors" if len(shards) == 1 else f"model-{number:05}-of-{len(shards):05}.safetensors"
            write_holes(folder / file, shard)
            index |= {tensor.name: file for tensor in shard}
        if len(shards) > 1:
            total = sum(tensor.size for shard in shards for tensor in shard)
            content = {"metadata": {"total_size": total}, "weight_map": index}
            (folder / "model.safetensors.index.json").write_text(json.dumps(content, indent=2), encoding="utf-8")

    def _shards(self) -> Iterator[list[Tensor]]:
        shard: list[Tensor] = []
        for tensor in self.tensors():
            if shard and sum(one.size for one in shard) + tensor.size > SHARD:
                yield shard
                shard = []
            shard.append(tensor)
        yield shard


def write_holes(path: Path, tensors: list[Tensor]) -> None:
    """A safetensors file with these tensors in bfloat16, whose numbers are a hole and read as zeros."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    end = 0
    for tensor in tensors:
        header[tensor.name] = {"dtype": "BF16", "shape": tensor.shape, "data_offsets": [end, end + tensor.size]}
        end += tensor.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + end)


@cache
def known() -> Mapping[str, Model]:
    """The catalogue, by id."""
    catalogue = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))
    models = (
        Model(
            id=entry["id"],
            config=catalogue["families"][entry["family"]] | entry["config"],
            modelscope=entry.get("modelscope", ""),
            parameters=entry["parameters"],
        )
        for entry in catalogue["model"]
    )
    return {model.id: model for model in models}


def from_config(path: Path) -> Model:
    """A model of the reader's own: the id is the name of the folder its config.json lies in.

    Raises ``ValueError`` where its shapes are not known.
    """
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} can not be read as a config.json: {error}") from None
    if (kind := config.get("model_type")) not in FAMILIES:
        raise ValueError(f"{path} is of model_type {kind!r}; a rehearsal knows the shapes of {', '.join(FAMILIES)}")
    return Model(f"rehearsed/{path.resolve().parent.name}", config)
