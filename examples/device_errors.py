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

# %% two_devices needs=["npu"]
with shown():
    torch.ones(2, device="npu") + torch.ones(2)

# %% numpy needs=["npu"]
with shown():
    torch.ones(2, device="npu").numpy()

# %% memory needs=["npu"]
with shown():
    torch.empty(1 << 40, dtype=torch.uint8, device="npu")

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
