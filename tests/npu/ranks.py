"""``python ranks.py N [killed|named|odds]``: N ranks in processes forked from one, each with a device of its own.

Each says ``ok`` when every collective gave what it should; ``named`` tells where rank 0 met the others instead, and
``odds`` what two ranks are told that do not ask for the same.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import tempfile
import warnings

import torch
import torch.distributed as dist
import torch_npu  # noqa: F401
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel
from torch.testing import assert_close


def filled(value: float, size: int = 3, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.full((size,), value, dtype=dtype, device="npu")


def collectives(rank: int, ranks: int) -> None:
    every = range(ranks)
    for dtype in (torch.float32, torch.bfloat16, torch.float16, torch.int64, torch.int8):
        total = filled(rank + 1, dtype=dtype)
        dist.all_reduce(total)
        assert total.tolist() == [sum(r + 1 for r in every)] * 3
    large = filled(rank + 1, 700_001)  # more than travels at once
    dist.all_reduce(large, op=dist.ReduceOp.MAX)
    assert large.min().item() == ranks
    mean = filled(rank)
    dist.all_reduce(mean, op=dist.ReduceOp.AVG)
    assert_close(mean.cpu(), torch.full((3,), sum(every) / ranks))
    product = filled(rank + 1)
    dist.reduce(product, 0, op=dist.ReduceOp.PRODUCT)
    assert rank or product[0].item() == torch.tensor([r + 1 for r in every]).prod().item()

    sent = filled(rank)
    dist.broadcast(sent, ranks - 1)
    assert sent[0].item() == ranks - 1

    parts = [filled(-1) for _ in every]
    dist.all_gather(parts, filled(rank))
    assert [part[0].item() for part in parts] == list(every)
    uneven = [filled(-1, r + 1) for r in every]
    dist.all_gather(uneven, filled(rank, rank + 1))
    assert [part.tolist() for part in uneven] == [[r] * (r + 1) for r in every]
    gathered = torch.empty(3 * ranks, device="npu")
    dist.all_gather_into_tensor(gathered, filled(rank))
    assert gathered[::3].tolist() == list(every)

    scattered = torch.empty(2, device="npu")
    dist.reduce_scatter_tensor(scattered, torch.arange(2.0 * ranks, device="npu"))
    assert scattered.tolist() == [ranks * 2 * rank, ranks * (2 * rank + 1)]
    dist.scatter(scattered, [filled(10 * r, 2) for r in every] if rank == 0 else None, src=0)
    assert scattered.tolist() == [10 * rank] * 2

    swapped = torch.empty(ranks, device="npu")
    dist.all_to_all_single(swapped, torch.arange(float(ranks), device="npu") + 10 * rank)
    assert swapped.tolist() == [10 * r + rank for r in every]
    lists = [filled(-1, rank + 1) for _ in every]
    dist.all_to_all(lists, [filled(rank, r + 1) for r in every])
    assert [part.tolist() for part in lists] == [[r] * (rank + 1) for r in every]

    objects = [None] * ranks
    dist.all_gather_object(objects, {"rank": rank})
    assert objects == [{"rank": r} for r in every]
    dist.barrier()


def point_to_point(rank: int, ranks: int) -> None:
    if rank == 0:
        dist.send(filled(7, 500_000), 1)
    elif rank == 1:
        received = filled(0, 500_000)
        dist.recv(received, 0)
        assert received.min().item() == 7
    from_left = filled(-1)
    operations = [
        dist.P2POp(dist.isend, filled(rank), (rank + 1) % ranks),
        dist.P2POp(dist.irecv, from_left, (rank - 1) % ranks),
    ]
    for work in dist.batch_isend_irecv(operations):
        work.wait()
    assert from_left[0].item() == (rank - 1) % ranks


def some_of_them(rank: int) -> None:
    group = dist.new_group([0, 1])
    if rank < 2:
        total = filled(rank + 1)
        dist.all_reduce(total, group=group)
        assert total[0].item() == 3


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 4))


def data_parallel(rank: int, ranks: int) -> None:
    """The gradient is the mean of the ranks', whether parameters are copied or sharded."""
    batch = torch.randn(ranks, 4, 8, generator=torch.Generator().manual_seed(1))
    plain = network()
    plain(batch.flatten(0, 1)).pow(2).mean().backward()
    want = plain[0].weight.grad

    copied = DistributedDataParallel(network().npu(), device_ids=[rank])
    copied(batch[rank].npu()).pow(2).mean().backward()
    assert_close(copied.module[0].weight.grad.cpu(), want)

    sharded = network().npu()
    fully_shard(sharded)
    sharded(batch[rank].npu()).pow(2).mean().backward()
    assert_close(sharded[0].weight.grad.full_tensor().cpu(), want)
    torch.optim.AdamW(sharded.parameters()).step()


def killed(rank: int) -> None:
    """Rank 1 dies; what rank 0 is told."""
    dist.all_reduce(filled(1))
    if rank == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        dist.all_reduce(filled(1))
    except RuntimeError as error:
        print(error, flush=True)
        os._exit(0)


def named(rank: int) -> None:
    dist.all_reduce(filled(1))  # the communicator is made when it is first needed
    if rank == 0:
        group = dist.distributed_c10d._get_default_group()
        print(group._get_backend(torch.device("npu")).get_hccl_comm_name(rank), flush=True)
    dist.destroy_process_group()


def at_odds(rank: int) -> None:
    """In sizes, in types, in what they call."""
    for size, dtype in ((3 + rank, torch.float32), (3, (torch.float32, torch.float16)[rank]), (3, torch.float32)):
        group = dist.new_group()
        try:
            if rank and (size, dtype) == (3, torch.float32):
                dist.broadcast(filled(1), 0, group=group)
            else:
                dist.all_reduce(filled(1, size, dtype), group=group)
            torch.npu.synchronize()
        except RuntimeError as error:
            print(error, flush=True)
    os._exit(0)


def main(rank: int, ranks: int, meeting: str, how: str) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.npu.set_device(rank)
    dist.init_process_group("hccl", init_method=f"file://{meeting}", rank=rank, world_size=ranks)
    if how == "killed":
        return killed(rank)
    if how == "named":
        return named(rank)
    if how == "odds":
        return at_odds(rank)
    collectives(rank, ranks)
    point_to_point(rank, ranks)
    some_of_them(rank)
    data_parallel(rank, ranks)
    print("ok", flush=True)
    dist.destroy_process_group()
    return None


if __name__ == "__main__":
    count, way = int(sys.argv[1]), (sys.argv[2:] or ["all"])[0]
    with tempfile.TemporaryDirectory() as folder:
        context = multiprocessing.get_context("fork")
        processes = [context.Process(target=main, args=(r, count, f"{folder}/meeting", way)) for r in range(count)]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
    sys.exit(way == "all" and any(process.exitcode for process in processes))
