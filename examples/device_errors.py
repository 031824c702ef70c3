"""设备的常见错误 · Errors of the device"""

# %% shown
import traceback
from contextlib import contextmanager


@contextmanager
def shown():
    """Print an error as the end of its traceback does, and go on."""
    try:
        yield
    except Exception as error:
        print("".join(traceback.format_exception_only(error)).splitlines()[0])


# %% device_number needs=["npu"]
import torch

with shown():
    torch.ones(1, device="npu:99")

# %% integer needs=["npu"]
print(torch.ones(2).to(0).device)

# %% jit needs=["npu"]
torch.npu.set_compile_mode(jit_compile=False)
print("compiled at run time:", not torch.npu.is_jit_compile_false())

# %% compile needs=["npu"]
with shown():
    torch.compile(torch.sin)(torch.ones(2, device="npu"))

# %% two_devices needs=["npu"]
with shown():
    torch.ones(2, device="npu") + torch.ones(2)

# %% numpy needs=["npu"]
with shown():
    torch.ones(2, device="npu").numpy()

# %% memory needs=["npu"]
with shown():
    torch.empty(1 << 40, dtype=torch.uint8, device="npu")

# %% grad_scaler needs=["npu"]
weight = torch.ones(2, device="npu", requires_grad=True)
optimizer = torch.optim.AdamW([weight], fused=True)
scaler = torch.npu.amp.GradScaler()  # the one that accelerate, and so the Trainer, takes
scaler.scale(weight.sum()).backward()
with shown():
    scaler.step(optimizer)

# %% fused needs=["npu"]
import torch_npu

weight = torch.ones(2, device="npu", dtype=torch.bfloat16, requires_grad=True)
weight.sum().backward()
with shown():
    torch_npu.optim.NpuFusedAdamW([weight]).step()

# %% fork needs=["npu"]
from torch.utils.data import DataLoader


def collate(rows):
    return torch.tensor(rows, device="npu")


try:
    next(iter(DataLoader(range(8), num_workers=1, collate_fn=collate)))
except RuntimeError as error:
    print(str(error).splitlines()[-1])

# %% nccl
import os

import torch

os.environ.update(MASTER_ADDR="::1", MASTER_PORT="29500", RANK="0", WORLD_SIZE="1")
with shown():
    torch.distributed.init_process_group("nccl")
