"""Train and generate in several ways with a small model; print what the allocator has counted for each, in JSON."""

from __future__ import annotations

import gc
import json
import sys

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

CONFIG = LlamaConfig(
    vocab_size=8192, hidden_size=256, intermediate_size=512, num_hidden_layers=3, num_attention_heads=8,
    num_key_value_heads=4, pad_token_id=0, bos_token_id=1, eos_token_id=None,
)  # fmt: skip
COUNTED = ("allocated_bytes.all.peak", "reserved_bytes.all.peak", "allocated_bytes.all.allocated", "segment.all.peak")


def model_of(
    dtype: torch.dtype, lora: bool = False, checkpointed: bool = False, attention: str = "eager"
) -> torch.nn.Module:
    model = LlamaForCausalLM._from_config(CONFIG, dtype=dtype, attn_implementation=attention)
    if lora:
        model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=16, target_modules="all-linear"))
    if checkpointed:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
        model.enable_input_require_grads()
    return model.to("npu:0")


def train(model: torch.nn.Module) -> None:
    ids = torch.randint(1, CONFIG.vocab_size, (2, 96), device="npu:0")
    mask = torch.ones_like(ids)
    mask[1, 60:] = 0
    optimizer = torch.optim.AdamW(weight for weight in model.parameters() if weight.requires_grad)
    for _ in range(2):
        model(input_ids=ids, attention_mask=mask, labels=ids, use_cache=False).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()


def generate(model: torch.nn.Module) -> None:
    ids = torch.randint(1, CONFIG.vocab_size, (2, 96), device="npu:0")
    made = model.eval().generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=6, do_sample=False)
    assert made.shape == (2, 102), made.shape


WAYS = {
    "full": lambda dtype: train(model_of(dtype)),
    "checkpointed": lambda dtype: train(model_of(dtype, checkpointed=True)),
    "lora": lambda dtype: train(model_of(dtype, lora=True)),
    "lora, checkpointed": lambda dtype: train(model_of(dtype, lora=True, checkpointed=True)),
    "generate": lambda dtype: generate(model_of(dtype)),
    "fused attention": lambda dtype: train(model_of(dtype, lora=True, attention="sdpa")),
}

counted = {}
for dtype in (torch.float32, torch.bfloat16):
    for way, run in WAYS.items():
        gc.collect()
        torch.npu.empty_cache()
        torch.npu.reset_peak_memory_stats()
        torch.npu.reset_accumulated_memory_stats()
        run(dtype)
        statistics = torch.npu.memory_stats()
        counted[f"{way}, {dtype}"] = {name: statistics[name] for name in COUNTED}
json.dump(counted, sys.stdout)
