"""性能分析 · Profiling"""

# %% model
import torch
from transformers import LlamaConfig, LlamaForCausalLM

device = torch.accelerator.current_accelerator() or torch.device("cpu")
config = LlamaConfig(
    vocab_size=4096, hidden_size=256, intermediate_size=688, num_hidden_layers=4, num_attention_heads=8
)
model = LlamaForCausalLM(config).to(device)
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
batch = torch.randint(config.vocab_size, (8, 64)).to(device)

# %% profile needs=["npu"]
import torch_npu

handler = torch_npu.profiler.tensorboard_trace_handler("trace")
activities = [torch_npu.profiler.ProfilerActivity.CPU, torch_npu.profiler.ProfilerActivity.NPU]
schedule = torch_npu.profiler.schedule(wait=1, warmup=1, active=2, repeat=1)
with torch_npu.profiler.profile(activities=activities, schedule=schedule, on_trace_ready=handler) as profiler:
    for _step in range(4):
        loss = model(input_ids=batch, labels=batch).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        profiler.step()

# %% trace needs=["npu"]
import json
from pathlib import Path

path = next(Path("trace").rglob("trace_view.json"))
events = json.loads(path.read_text())
print(path.name, len(events), "events")

# %% picture needs=["npu"]
from collections import Counter

import matplotlib.pyplot as plt

calls = Counter(event["name"] for event in events if event.get("ph") == "X" and event["name"].startswith("aten::"))
names, counts = zip(*reversed(calls.most_common(10)), strict=True)
figure, axes = plt.subplots(figsize=(7, 3), layout="constrained")
axes.barh(names, counts)
axes.set_xlabel("calls in two steps")
figure.savefig("operators.png")
