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
rows = {}
for way, dtype in choices:
    model = way(llama_8b(getattr(torch, dtype)))
    parts = training_bytes(model)
    rows[f"{way.__name__}, {dtype}"] = {
        "trained": f"{model.num_parameters(only_trainable=True):,}",
        **{name: f"{size / 2**30:.1f}" for name, size in parts.items()},
        "total GiB": f"{sum(parts.values()) / 2**30:.1f}",
    }
print(pd.DataFrame(rows).T.to_string())

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
