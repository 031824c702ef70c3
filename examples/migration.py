"""从 CUDA 迁移 · Moving from CUDA"""

# %% cuda
import torch

try:
    torch.ones(2, device="cuda")
except (AssertionError, RuntimeError) as error:
    print(f"{type(error).__name__}: {error}")

# %% npu needs=["npu"]
print(torch.npu.is_available(), torch.npu.device_count(), torch.npu.get_device_name(0))
x = torch.ones(2, 2, device="npu")
torch.npu.synchronize()
print((x @ x).sum().item(), torch.npu.memory_allocated())

# %% agnostic
device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = torch.nn.Linear(4, 2).to(device)
with torch.autocast(device.type, dtype=torch.bfloat16):
    output = model(torch.randn(3, 4, device=device))
print(output.device, output.dtype)


# %% attribute
class Scaled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)
        self.scale = torch.arange(4.0)  # a plain attribute: .to() does not know it

    def forward(self, inputs):
        return self.linear(inputs) * self.scale


inputs = torch.ones(1, 4, device=device)
try:
    Scaled().to(device)(inputs)
except RuntimeError as error:
    print(error)


# %% buffer
class Buffered(Scaled):
    def __init__(self):
        super().__init__()
        del self.scale
        self.register_buffer("scale", torch.arange(4.0))


buffered = Buffered().to(device)
print(buffered(inputs).device)

# %% where
from collections import Counter

print(Counter(str(tensor.device) for tensor in [*buffered.parameters(), *buffered.buffers()]))

# %% fallback needs=["npu"]
values = torch.linalg.eigvals(torch.eye(2, device=device))
print(values.device)

# %% seed
torch.manual_seed(42)
first = torch.rand(2, device=device)
torch.manual_seed(42)
print(torch.equal(first, torch.rand(2, device=device)))

# %% transfer needs=["npu"]
from torch_npu.contrib import transfer_to_npu

print("cuda:", torch.cuda.is_available(), torch.cuda.get_device_name(0))
print(torch.ones(2).cuda().device)
