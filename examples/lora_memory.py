"""微调占多少显存 · How much memory fine-tuning takes"""

# %% llama_8b
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

config = LlamaConfig(
    vocab_size=128256,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
)


def llama_8b(dtype):
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


print(f"{llama_8b(torch.bfloat16).num_parameters():,} parameters")

# %% ways
from peft import LoraConfig, get_peft_model


def everything(model):
    return model


def last_layer(model):
    model.requires_grad_(False)
    model.model.layers[-1].requires_grad_(True)
    return model


def lora(model):
    config = LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear")
    return get_peft_model(model, config)


# %% memory
import pandas as pd


def training_bytes(model):
    weights = sum(p.nbytes for p in model.parameters())
    gradients = sum(p.nbytes for p in model.parameters() if p.requires_grad)
    return {"weights": weights, "gradients": gradients, "AdamW": 2 * gradients}


choices = [(everything, "float32"), (everything, "bfloat16"), (last_layer, "bfloat16"), (lora, "bfloat16")]
sizes, trained = {}, {}
for way, dtype in choices:
    model = way(llama_8b(getattr(torch, dtype)))
    name = f"{way.__name__}, {dtype}"
    sizes[name] = training_bytes(model)
    trained[name] = f"{model.num_parameters(only_trainable=True):,}"
table = pd.DataFrame(sizes).T / 2**30
table["total GiB"] = table.sum(axis=1)
table = table.map("{:.1f}".format)
table.insert(0, "trained", trained)
print(table.to_string())

# %% activations
from torch.autograd.graph import saved_tensors_hooks
from transformers import AttentionInterface

length = 2048  # tokens of the one row in a batch


class Fused(torch.autograd.Function):
    """Keeps its inputs and its output, as fused attention does, and not a score for each pair of tokens."""

    @staticmethod
    def forward(ctx, query, key, value):
        output = query.transpose(1, 2).contiguous()
        ctx.save_for_backward(query, key, value, output)
        return output


AttentionInterface.register("fused", lambda module, q, k, v, mask, **rest: (Fused.apply(q, k, v), None))


def activations(way, dtype, layers):
    """What a forward pass through so many layers keeps for the backward pass."""
    model = llama_8b(getattr(torch, dtype))
    model.set_attn_implementation("fused")
    model.model.layers = model.model.layers[:layers]
    model = way(model).train()
    weights = {id(p.untyped_storage()): p.untyped_storage() for p in model.parameters()}
    kept = {}

    def keep(tensor):
        kept[id(tensor.untyped_storage())] = tensor.untyped_storage()
        return tensor

    tokens = torch.zeros(1, length, dtype=torch.long, device="meta")
    with saved_tensors_hooks(keep, lambda tensor: tensor):
        model(input_ids=tokens, labels=tokens, use_cache=False)
    return sum(storage.nbytes() for name, storage in kept.items() if name not in weights)


for way, dtype in choices:
    sizes[f"{way.__name__}, {dtype}"]["activations"] = activations(way, dtype, config.num_hidden_layers)
# with checkpointing: what enters each layer, and all of the one layer that is being computed again
entering = (config.num_hidden_layers - 1) * length * config.hidden_size * torch.bfloat16.itemsize
sizes["lora, bfloat16, checkpointing"] = {
    **sizes["lora, bfloat16"],
    "activations": entering + activations(lora, "bfloat16", 1),
}
for name, parts in sizes.items():
    print(f"{name:30} {parts['activations'] / 2**30:5.1f} GiB of activations")

# %% chart
axes = (pd.DataFrame(sizes).T[::-1] / 2**30).plot.barh(stacked=True, figsize=(7, 3), xlabel="GiB, batch 1 x 2048")
axes.axvline(60.97, color="grey", linestyle="--")
axes.annotate(" 910B, 61 GiB", (60.97, -0.4), color="grey")
axes.figure.savefig("memory.png", bbox_inches="tight")

# %% check needs=["npu"]
from transformers import AutoConfig

small = AutoConfig.from_pretrained("HuggingFaceTB/SmolLM2-135M-Instruct", num_hidden_layers=4)
tokens = torch.randint(small.vocab_size, (1, 32), device="npu")
for way in (everything, last_layer, lora):
    before = torch.npu.memory_allocated()
    model = way(AutoModelForCausalLM.from_config(small, dtype=torch.float32)).to("npu")
    optimizer = torch.optim.AdamW(p for p in model.parameters() if p.requires_grad)
    model(input_ids=tokens, labels=tokens).loss.backward()
    optimizer.step()
    measured = torch.npu.memory_allocated() - before
    computed = sum(training_bytes(model).values())
    print(f"{way.__name__:10} measured {measured / 2**20:6.1f} MiB, computed {computed / 2**20:6.1f} MiB")
    del model, optimizer
