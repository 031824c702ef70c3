"""全参数训练占多少显存 · How much memory training all parameters takes"""

# %% small
import torch
from transformers import AutoModelForCausalLM

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = AutoModelForCausalLM.from_pretrained(model_id, dtype=torch.float32).to(device)
print(f"{model.num_parameters():,} parameters")

# %% check needs=["npu"]
optimizer = torch.optim.AdamW(model.parameters(), fused=True)
tokens = torch.randint(model.config.vocab_size, (8, 128), device=device)
model(input_ids=tokens, labels=tokens).loss.backward()
optimizer.step()
memory = torch.get_device_module()
measured = memory.memory_allocated() / 2**20
computed = 16 * model.num_parameters() / 2**20
print(f"after a step: measured {measured:.1f} MiB, computed {computed:.1f} MiB")
print(f"peak: {memory.max_memory_allocated() / 2**20:.1f} MiB")
logits = tokens.numel() * model.config.vocab_size * 4
print(f"one copy of the logits: {logits / 2**20:.1f} MiB")

# %% llama_8b
from transformers import LlamaConfig

config = LlamaConfig(
    vocab_size=128256,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
)
with torch.device("meta"):
    parameters = AutoModelForCausalLM.from_config(config).num_parameters()
print(f"{parameters:,} parameters")
for cards in (1, 2, 4, 8):
    gib = 16 * parameters / cards / 2**30
    print(f"{cards} card(s): {gib:6.1f} GiB on each for weights, gradients and AdamW")

# %% logits
gib = 4 * config.vocab_size / 2**30
print(f"one sequence of 4096 tokens: {4096 * gib:.1f} GiB")
print(f"1000 evaluated blocks of 512 tokens: {1000 * 512 * gib:.0f} GiB")
