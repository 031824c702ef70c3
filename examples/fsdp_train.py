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
from transformers import AutoModelForCausalLM

model_id = "HuggingFaceTB/SmolLM2-135M-Instruct"
model = AutoModelForCausalLM.from_pretrained(model_id, num_hidden_layers=4, dtype=torch.float32)

# %% shard
from torch.distributed.fsdp import fully_shard

if cards > 1:
    for layer in model.model.layers:
        fully_shard(layer)
    fully_shard(model)
model.to(device)

# %% resume
from pathlib import Path

import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_state_dict,
)

optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
done = 0
if Path("checkpoint").exists():
    weights, moments = get_state_dict(model, optimizer)
    state = {"model": weights, "optimizer": moments, "step": 0}
    dcp.load(state, checkpoint_id="checkpoint")
    set_state_dict(model, optimizer, model_state_dict=state["model"], optim_state_dict=state["optimizer"])
    done = state["step"]


# %% train
def loss_of_all_cards(loss):
    losses = [loss.item()]
    if cards > 1:
        losses = [None] * cards
        dist.all_gather_object(losses, loss.item())
    return sum(losses) / cards


generator = torch.Generator().manual_seed(0)
whole_batch = torch.randint(model.config.vocab_size, (8, 32), generator=generator).to(device)
batch = whole_batch[rank::cards]
for step in range(done + 1, 5):
    loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    mean = loss_of_all_cards(loss)
    if rank == 0:
        print(f"{cards} card(s), step {step}: loss {mean:.2f}")
    if step == 2:
        weights, moments = get_state_dict(model, optimizer)
        dcp.save({"model": weights, "optimizer": moments, "step": step}, checkpoint_id="checkpoint")

# %% memory needs=["npu"]
if rank == 0:
    shards = (getattr(parameter, "to_local", lambda p=parameter: p)() for parameter in model.parameters())
    print(f"on card 0: {sum(shard.numel() for shard in shards):,} parameters")
    print(f"on card 0: {torch.npu.memory_allocated() / 2**20:.1f} MiB between steps")

# %% export
with torch.no_grad():
    trained = loss_of_all_cards(model(input_ids=batch, labels=batch).loss)
whole = get_model_state_dict(model, options=StateDictOptions(full_state_dict=True, cpu_offload=True))
if rank == 0:
    model.save_pretrained("exported", state_dict=whole)

# %% reload
if rank == 0:
    exported = AutoModelForCausalLM.from_pretrained("exported").to(device)
    with torch.no_grad():
        again = exported(input_ids=whole_batch, labels=whole_batch).loss.item()
    print(f"loss {trained:.2f} after training, {again:.2f} of what was exported")

# %% end
if cards > 1:
    dist.destroy_process_group()
