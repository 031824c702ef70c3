"""没有 NPU，先在笔记本上试 · No NPU yet: try it on a laptop"""

# %% script
import torch
from transformers import LlamaConfig, LlamaForCausalLM

device = torch.accelerator.current_accelerator() or torch.device("cpu")
torch.manual_seed(0)
config = LlamaConfig(
    vocab_size=1000, hidden_size=128, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4
)
model = LlamaForCausalLM(config)
batch = torch.randint(0, 1000, (8, 64))
with torch.no_grad():
    on_cpu = model(input_ids=batch, labels=batch).loss.item()

model.to(device)
batch = batch.to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
losses = []
for _ in range(20):
    with torch.autocast(device.type, dtype=torch.bfloat16):
        loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    losses.append(loss.item())
print(f"{next(model.parameters()).device}: loss {losses[0]:.2f} -> {losses[-1]:.2f}")

# %% agrees
print(f"the first loss on the CPU in float32: {on_cpu:.2f}")

# %% saved
model.save_pretrained("out")
again = LlamaForCausalLM.from_pretrained("out").to(device)
with torch.no_grad():
    same = torch.equal(model(input_ids=batch).logits, again(input_ids=batch).logits)
print("the saved model gives the same logits:", same)

# %% mistakes needs=["npu"]
mask = torch.ones(8, 64)  # forgotten on the CPU
for wrong in (lambda: batch * mask, lambda: model.to("cuda")):
    try:
        wrong()
    except (AssertionError, RuntimeError) as error:
        print(f"{type(error).__name__}: {str(error).splitlines()[0]}")

# %% host needs=["npu"]
free, total = torch.npu.mem_get_info()
print(f"{torch.npu.device_count()} x {torch.npu.get_device_name()}, {total / 2**30:.2f} GiB each")
print(f"peak of this script: {torch.npu.max_memory_allocated() / 2**20:.0f} MiB")
