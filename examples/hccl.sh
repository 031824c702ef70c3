# 卡与卡之间通不通 · Do the cards reach one another?

# %% script needs=["npu"]
cat > hccl_check.py <<'END'
import os
import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

card = int(os.environ["LOCAL_RANK"])
torch.npu.set_device(card)
dist.init_process_group("hccl")
number, cards = dist.get_rank() + 1, dist.get_world_size()

total = torch.tensor(float(number), device="npu")
dist.all_reduce(total)

model = DistributedDataParallel(torch.nn.Linear(1, 1, bias=False).to("npu"), device_ids=[card])
model(torch.tensor([[float(number)]], device="npu")).sum().backward()  # its gradient is what came in
gradient = next(model.parameters()).grad.item()
if number == 1:
    print(f"{cards} cards: the sum of 1, 2, ... is {total.item():g}, the mean of their gradients {gradient:g}")
dist.destroy_process_group()
END

# %% two needs=["npu>=2"]
torchrun --standalone --nproc_per_node 2 hccl_check.py 2> hccl.log || { tail hccl.log; false; }
