"""从 CUDA 迁移 · Moving from CUDA"""

# %% cuda
import torch

print("cuda:", torch.cuda.is_available())
try:
    torch.ones(2, device="cuda")
except (AssertionError, RuntimeError) as error:
    print(f"{type(error).__name__}: {error}")

# %% npu
print("npu:", torch.npu.is_available(), torch.npu.device_count(), torch.npu.get_device_name(0))
x = torch.ones(2, 2, device="npu")
y = x @ x
torch.npu.synchronize()
print(y)

# %% agnostic
device = torch.accelerator.current_accelerator() or torch.device("cpu")
model = torch.nn.Linear(4, 2).to(device)
with torch.autocast(device.type, dtype=torch.bfloat16):
    output = model(torch.randn(3, 4, device=device))
torch.accelerator.synchronize()
print(device, output.dtype)


# %% attribute
class Scaled(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)
        self.scale = torch.arange(4.0)  # a plain attribute: .to() does not know it

    def forward(self, inputs):
        return self.linear(inputs) * self.scale


scaled = Scaled().to(device)
try:
    scaled(torch.ones(1, 4, device=device))
except RuntimeError as error:
    print(error)


# %% buffer
class Buffered(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 4)
        self.register_buffer("scale", torch.arange(4.0))

    def forward(self, inputs):
        return self.linear(inputs) * self.scale


buffered = Buffered().to(device)
print(buffered(torch.ones(1, 4, device=device)).device)

# %% where
from collections import Counter


def where(module):
    tensors = [*module.parameters(), *module.buffers()]
    return Counter(str(tensor.device) for tensor in tensors)


print(where(buffered))
print("allocated:", torch.npu.memory_allocated(), "bytes")

# %% seed
torch.manual_seed(42)
first = torch.rand(2, device=device)
torch.manual_seed(42)
print(torch.equal(first, torch.rand(2, device=device)))

# %% transfer
from torch_npu.contrib import transfer_to_npu

print("cuda:", torch.cuda.is_available(), torch.cuda.get_device_name(0))
z = torch.ones(2).cuda()
print(z.device)
