"""模型有多大 · How large is the model"""

# %% size
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
with torch.device("meta"):  # the shapes only, no memory
    model = AutoModelForCausalLM.from_config(config)
parameters = model.num_parameters()
print(f"{parameters:,} parameters, {2 * parameters / 1e9:.1f} GB on disk in bfloat16")

# %% room
import shutil

free = shutil.disk_usage(".").free
print("room for it here:", "yes" if free > 2.2 * parameters else "no")
