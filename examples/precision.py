"""精度 · Precision"""

# %% model
import torch
from transformers import LlamaConfig, LlamaForCausalLM

device = torch.accelerator.current_accelerator() or torch.device("cpu")
config = LlamaConfig(
    vocab_size=4096, hidden_size=256, intermediate_size=688, num_hidden_layers=4, num_attention_heads=8
)
batch = torch.randint(config.vocab_size, (8, 64), generator=torch.Generator().manual_seed(0)).to(device)


def new_model():
    torch.manual_seed(42)
    return LlamaForCausalLM(config).to(device)


# %% dtypes
for dtype in (torch.float32, torch.bfloat16, torch.float16):
    info = torch.finfo(dtype)
    print(f"{dtype!s:15} largest {info.max:.1e}, smallest {info.tiny:.1e}, step after 1: {info.eps:.1e}")

# %% overflow tags=["nan-wanted"]
large = torch.tensor(70000.0, device=device)
print(large.bfloat16(), large.half())

# %% autocast
for dtype in (None, torch.bfloat16):
    model = new_model()
    with torch.autocast(device.type, dtype=dtype, enabled=dtype is not None):
        output = model(input_ids=batch, labels=batch)
    output.loss.backward()
    gradient = model.lm_head.weight.grad
    print(f"{dtype!s:15} loss {output.loss.item():.4f}, logits {output.logits.dtype}, gradients {gradient.dtype}")

# %% scaler
short = batch[:1, :16]
model = new_model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
scaler = torch.amp.GradScaler(device.type, init_scale=2.0**24)
for _step in range(4):
    with torch.autocast(device.type, dtype=torch.float16):
        loss = model(input_ids=short, labels=short).loss
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    print(f"loss {loss.item():.4f}, next scale {scaler.get_scale():.0f}")

# %% accumulate
whole, parts = new_model(), new_model()
whole(input_ids=batch, labels=batch).loss.backward()
for part in batch.split(2):
    (parts(input_ids=part, labels=part).loss / 4).backward()
difference = (whole.lm_head.weight.grad - parts.lm_head.weight.grad).abs().max().item()
print(f"largest difference of a gradient: {difference:.1e}")

# %% fused needs=["npu"]
import torch_npu


def train(optimizer_class, zero_grad_of):
    model = new_model()
    optimizer = optimizer_class(model.parameters(), lr=1e-3)
    for _step in range(3):
        loss = model(input_ids=short, labels=short).loss
        loss.backward()
        optimizer.step()
        (optimizer if zero_grad_of == "optimizer" else model).zero_grad()
    print(f"{optimizer_class.__name__:13} {zero_grad_of}.zero_grad(): loss {loss.item():.4f}")


for optimizer_class in (torch.optim.AdamW, torch_npu.optim.NpuFusedAdamW):
    for zero_grad_of in ("optimizer", "model"):
        train(optimizer_class, zero_grad_of)
