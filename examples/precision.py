"""精度、显存与性能 · Precision, memory and speed"""

# %% model
import torch
from transformers import LlamaConfig, LlamaForCausalLM

device = torch.device("npu")
config = LlamaConfig(
    vocab_size=4096,
    hidden_size=256,
    intermediate_size=688,
    num_hidden_layers=6,
    num_attention_heads=8,
    num_key_value_heads=4,
)
batch = torch.randint(config.vocab_size, (8, 128), generator=torch.Generator().manual_seed(0)).to(device)


def new_model(**options):
    torch.manual_seed(42)
    return LlamaForCausalLM._from_config(config, **options).to(device)


def megabytes():
    return torch.npu.max_memory_allocated() / 2**20


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
    torch.npu.reset_peak_memory_stats()
    with torch.autocast("npu", dtype=dtype, enabled=dtype is not None):
        loss = model(input_ids=batch, labels=batch).loss
    loss.backward()
    print(f"{dtype!s:15} loss {loss.item():.4f}, gradients in {model.lm_head.weight.grad.dtype}, {megabytes():.0f} MiB")
    del model, loss

# %% scaler
short = batch[:1, :16]
model = new_model()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
scaler = torch.amp.GradScaler("npu", init_scale=2.0**24)
for _step in range(4):
    with torch.autocast("npu", dtype=torch.float16):
        loss = model(input_ids=short, labels=short).loss
    scaler.scale(loss).backward()
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
    print(f"loss {loss.item():.4f}, next scale {scaler.get_scale():.0f}")
del model, optimizer

# %% accumulate
whole, parts = new_model(), new_model()
whole(input_ids=batch, labels=batch).loss.backward()
for part in batch.split(2):
    (parts(input_ids=part, labels=part).loss / 4).backward()
difference = (whole.lm_head.weight.grad - parts.lm_head.weight.grad).abs().max().item()
print(f"largest difference of a gradient: {difference:.1e}")
del whole, parts

# %% checkpointing
for enabled in (False, True):
    model = new_model()
    if enabled:
        model.activation_checkpointing_enable()
    model.train()
    model.config.use_cache = False
    torch.npu.reset_peak_memory_stats()
    model(input_ids=batch, labels=batch).loss.backward()
    print(f"activation checkpointing {enabled!s:5}: {megabytes():.0f} MiB")
    del model

# %% attention
outputs = {}
long = batch.reshape(1, 1024)
for name in ("eager", "sdpa"):
    model = new_model(attn_implementation=name).eval()
    torch.npu.reset_peak_memory_stats()
    with torch.no_grad():
        outputs[name] = model(input_ids=long, logits_to_keep=1, use_cache=False).logits
    print(f"{name:5}: {megabytes():.0f} MiB")
    del model
print("largest difference:", (outputs["eager"] - outputs["sdpa"]).abs().max().item())

# %% fused
import torch_npu


def train(optimizer_class, zero_grad):
    model = new_model()
    optimizer = optimizer_class(model.parameters(), lr=1e-3)
    for _step in range(3):
        loss = model(input_ids=short, labels=short).loss
        loss.backward()
        optimizer.step()
        (optimizer if zero_grad == "optimizer" else model).zero_grad()
    print(f"{optimizer_class.__name__:13} {zero_grad}.zero_grad(): loss {loss.item():.4f}")


train(torch.optim.AdamW, "optimizer")
train(torch.optim.AdamW, "model")
train(torch_npu.optim.NpuFusedAdamW, "optimizer")
train(torch_npu.optim.NpuFusedAdamW, "model")

# %% memory
torch.npu.empty_cache()
print(
    f"allocated {torch.npu.memory_allocated() / 2**20:.0f} MiB, reserved {torch.npu.memory_reserved() / 2**20:.0f} MiB"
)
try:
    torch.empty(80 * 2**30, dtype=torch.uint8, device=device)
except torch.OutOfMemoryError as error:
    print(str(error).splitlines()[0])
