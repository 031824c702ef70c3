"""显存 · Memory"""

# %% model
import torch
from transformers import AutoModelForCausalLM, LlamaConfig

device = torch.accelerator.current_accelerator() or torch.device("cpu")
config = LlamaConfig(
    vocab_size=4096, hidden_size=256, intermediate_size=688, num_hidden_layers=6, num_attention_heads=8
)
batch = torch.randint(config.vocab_size, (8, 128), generator=torch.Generator().manual_seed(0)).to(device)


def new_model(**options):
    torch.manual_seed(42)
    return AutoModelForCausalLM.from_config(config, **options).to(device)


# %% checkpointing needs=["npu"]
for enabled in (False, True):
    model = new_model().train()
    if enabled:
        model.gradient_checkpointing_enable()
    torch.npu.reset_peak_memory_stats()
    loss = model(input_ids=batch, labels=batch, use_cache=False).loss
    loss.backward()
    peak = torch.npu.max_memory_allocated() / 2**20
    print(f"gradient checkpointing {enabled!s:5}: loss {loss.item():.4f}, {peak:.0f} MiB")
    del model, loss

# %% attention needs=["npu"]
long = batch.reshape(1, 1024)
last_logits = {}
for name in ("eager", "sdpa"):
    model = new_model(attn_implementation=name, dtype=torch.bfloat16).eval()
    torch.npu.reset_peak_memory_stats()
    with torch.no_grad():
        last_logits[name] = model(input_ids=long, logits_to_keep=1, use_cache=False).logits
    print(f"{name:5} {torch.npu.max_memory_allocated() / 2**20:4.0f} MiB")
    del model

# %% flash needs=["npu"]
model = new_model(attn_implementation="flash_attention_2", dtype=torch.bfloat16).eval()
with torch.no_grad():
    last_logits["flash_attention_2"] = model(input_ids=long, logits_to_keep=1, use_cache=False).logits
for name, logits in last_logits.items():
    difference = (logits - last_logits["eager"]).abs().max().item()
    print(f"{name:17} differs from eager by {difference:.3f} at most")
del model

# %% fragments needs=["npu"]
torch.npu.empty_cache()
for mib in range(100, 200, 10):
    torch.empty(mib * 2**20, dtype=torch.uint8, device=device)
print(f"largest tensor {mib} MiB")
print(f"allocated {torch.npu.memory_allocated() / 2**20:.0f} MiB")
print(f"reserved {torch.npu.memory_reserved() / 2**20:.0f} MiB")
torch.npu.empty_cache()
print(f"reserved after empty_cache {torch.npu.memory_reserved() / 2**20:.0f} MiB")

# %% out_of_memory needs=["npu"]
try:
    torch.empty(80 * 2**30, dtype=torch.uint8, device=device)
except RuntimeError as error:  # torch.OutOfMemoryError is one
    print(str(error).splitlines()[0])
