"""用 FSDP2 切分模型 · Sharding a model with FSDP2"""

# %% setup
import os

import torch
import torch.distributed as dist

rank, cards = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
torch.npu.set_device(int(os.environ.get("LOCAL_RANK", 0)))
device = torch.device("npu", torch.npu.current_device())
if cards > 1:
    dist.init_process_group("hccl")

# %% model
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(42)
config = LlamaConfig(
    vocab_size=1024, hidden_size=256, intermediate_size=512, num_hidden_layers=8, num_attention_heads=8
)
with torch.device(device):
    model = LlamaForCausalLM(config)

# %% shard
from torch.distributed.fsdp import fully_shard

if cards > 1:
    for layer in model.model.layers:
        fully_shard(layer)
    fully_shard(model)

# %% train
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
generator = torch.Generator().manual_seed(0)
for _step in range(5):
    batch = torch.randint(1024, (8, 32), generator=generator)[rank::cards].to(device)
    loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()

# %% report
mine = sum(getattr(p, "to_local", lambda p=p: p)().numel() for p in model.parameters())
print(f"rank {rank}: {mine:,} parameters here, {torch.npu.memory_allocated() / 2**20:.1f} MiB allocated")
if cards > 1:
    dist.destroy_process_group()
