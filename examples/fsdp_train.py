"""用 FSDP2 切分模型 · Sharding a model with FSDP2"""

# %% setup
import os

import torch
import torch.distributed as dist

device = torch.accelerator.current_accelerator() or torch.device("cpu")
rank, cards = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
if cards > 1:
    torch.accelerator.set_device_index(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("hccl")

# %% model
from transformers import LlamaConfig, LlamaForCausalLM

torch.manual_seed(42)
config = LlamaConfig(
    vocab_size=1024, hidden_size=256, intermediate_size=512, num_hidden_layers=8, num_attention_heads=8
)
with device:
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
whole_batch = torch.randint(1024, (8, 32), generator=generator).to(device)
for _step in range(5):
    batch = whole_batch[rank::cards]
    loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
losses = [loss.item()]
if cards > 1:
    losses = [None] * cards
    dist.all_gather_object(losses, loss.item())
if rank == 0:
    print(f"{cards} card(s): loss {sum(losses) / cards:.4f} after 5 steps")

# %% memory needs=["npu"]
if rank == 0:
    shards = (getattr(parameter, "to_local", lambda p=parameter: p)() for parameter in model.parameters())
    print(f"on card 0: {sum(shard.numel() for shard in shards):,} parameters")
    print(f"on card 0: {torch.accelerator.memory_allocated() / 2**20:.1f} MiB between steps")

# %% end
if cards > 1:
    dist.destroy_process_group()
