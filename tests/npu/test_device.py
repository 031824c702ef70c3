"""Device, memory, streams, random numbers and errors, as torch_npu tells them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from signal import SIGABRT
from subprocess import CompletedProcess

import torch
import torch_npu
from pytest import approx, raises, warns
from torch.nn.functional import dropout, linear

from standins.npu.settings import Settings

Program = Callable[..., CompletedProcess[str]]


GIB = 1 << 30
NPU = torch.device("npu:0")
OTHER = torch.device("npu:1")


def test_properties() -> None:
    assert torch.npu.is_available() and torch.npu.device_count() == Settings().devices
    assert torch.npu.get_device_name(0) == "Ascend910B3"
    properties = torch.npu.get_device_properties(0)
    assert properties.total_memory == int(Settings().memory_gib * GIB)
    assert (properties.cube_core_num, properties.vector_core_num) == (20, 40)
    assert torch.npu.mem_get_info(0)[1] == properties.total_memory
    assert torch.accelerator.current_accelerator() == torch.device("npu")
    assert torch.npu.is_bf16_supported()
    assert torch_npu.npu.utils.get_cann_version() == "9.1.0"


def test_memory_accounting() -> None:
    torch.npu.empty_cache()
    torch.npu.reset_peak_memory_stats()
    before = torch.npu.memory_allocated()
    tensor = torch.empty(1 << 20, device=NPU)
    assert torch.npu.memory_allocated() - before == approx(4 << 20, rel=1e-3)
    free, total = torch.npu.mem_get_info()
    assert total - free >= torch.npu.memory_reserved() >= 4 << 20
    peak = torch.npu.max_memory_allocated()
    del tensor
    assert torch.npu.memory_allocated() == before and torch.npu.max_memory_allocated() == peak
    assert "Allocated memory" in torch.npu.memory_summary()


def test_results_lie_in_device_memory() -> None:
    x = torch.ones(1000, 1000, device=NPU)
    before = torch.npu.memory_allocated()
    kept = [x + 1, x.index_select(0, torch.arange(1000, device=NPU)), linear(x, x)]
    assert torch.npu.memory_allocated() - before == approx(len(kept) * 4_000_000, rel=1e-3)


def test_out_of_memory_with_a_size_of_choice(program: Program) -> None:
    done = program(
        """
import torch
x = torch.zeros(100 << 20, dtype=torch.uint8, device="npu:0")
try:
    torch.zeros(200 << 20, dtype=torch.uint8, device="npu:0")
except torch.OutOfMemoryError as error:
    print(error)
del x
torch.npu.empty_cache()
print(torch.zeros(200 << 20, dtype=torch.uint8, device="npu:0").sum().item(), torch.npu.mem_get_info()[1])
""",
        VIRTUAL_NPU_MEMORY_GIB="0.25",
    )
    said = r"NPU out of memory. Tried to allocate 20\d.00 MiB \(NPU 0; 256.00 MiB total capacity; 100.00 MiB already"
    assert re.search(said, done.stdout), done.stderr
    assert done.stdout.splitlines()[-1] == f"0 {256 << 20}"


def test_visible_devices(program: Program) -> None:
    code = """
import torch
print(torch.npu.device_count())
torch.ones(1, device="npu:1")
try:
    torch.ones(1, device="npu:7")
except RuntimeError as error:
    print(error)
"""
    done = program(code, VIRTUAL_NPU_DEVICES="4", ASCEND_RT_VISIBLE_DEVICES="1,3")
    assert done.stdout.splitlines()[0] == "2", done.stderr
    assert "error code is 107001" in done.stdout and "ERR00100 PTA call acl api failed" in done.stdout


def test_visible_devices_are_read_once(program: Program) -> None:
    """CANN's runtime does so when its first function is called; torch_npu's own count looks at the variable itself."""
    done = program(
        """
import os, sys, torch, torch_npu
def seen(*before, variable="1"):
    sys.stdout.flush()
    if child := os.fork():
        return os.waitpid(child, 0)
    for call in before:
        call()
    os.environ["ASCEND_RT_VISIBLE_DEVICES"] = variable
    usable = 0
    try:
        while True:
            torch.ones(1, device=f"npu:{usable}")
            usable += 1
    except RuntimeError as error:
        assert "107001" in str(error) or not usable, error
    print(usable, torch.npu.device_count())
    sys.stdout.flush()
    os._exit(0)
seen()
seen(torch.npu.is_available)
seen(lambda: torch.ones(1, device="npu:0"), torch.npu.device_count)
for chosen in ("1, 2", "0,2x,3", "+1", "0,,1"):
    seen(variable=chosen)
""",
        VIRTUAL_NPU_DEVICES="4",
    )
    assert done.stdout.splitlines() == ["1 1", "4 1", "4 4", "1 1", "2 2", "0 0", "1 1"], done.stdout + done.stderr


def test_a_card_that_was_only_asked_ends_the_next_backward(program: Program) -> None:
    """torch_npu's own, so on silicon too: autograd takes the card's stream, which nobody has made, and may not raise.

    The cure that troubleshooting gives is the last one.
    """
    done = program("""
import os, torch
def backward_after(ask):
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    ask()
    x = torch.ones(2, device="npu:0", requires_grad=True)
    (x * 2).sum().backward()
    os._exit(x.grad.tolist() != [2.0, 2.0])
print(*map(backward_after, (
    lambda: torch.npu.mem_get_info(1),
    lambda: (torch.npu.set_device(1), torch.npu.set_device(0)),
    lambda: (torch.ones(1, device="npu:1"), torch.npu.mem_get_info(1), torch.npu.set_device(0)),
)))
""")
    assert done.stdout.split() == [str(-SIGABRT), str(-SIGABRT), "0"], done.stdout + done.stderr
    assert done.stderr.count("Uninitialized default NPU stream for device") == 2


def test_streams_and_events() -> None:
    stream = torch.npu.Stream()
    start, end = (torch.npu.Event(enable_timing=True) for _ in range(2))
    with torch.npu.stream(stream):
        start.record()
        product = torch.ones(300, 300, device=NPU) @ torch.ones(300, 300, device=NPU)
        end.record()
        assert torch.npu.current_stream() == stream
    torch.npu.current_stream().wait_stream(stream)
    end.synchronize()
    assert start.query() and stream.query() and 0 < start.elapsed_time(end) < 60_000
    product.record_stream(torch.npu.current_stream())
    torch.npu.synchronize()
    assert product[0, 0].item() == 300


def test_random_numbers() -> None:
    torch.manual_seed(5)
    first, second = torch.randn(4, device=NPU), torch.randn(4, device=NPU)
    torch.manual_seed(5)
    assert torch.equal(first, torch.randn(4, device=NPU)) and not torch.equal(first, second)
    torch.manual_seed(5)
    assert torch.equal(first.cpu(), torch.randn(4))

    state = torch.npu.get_rng_state()
    drawn = torch.rand(3, device=NPU)
    torch.npu.set_rng_state(state)
    assert torch.equal(drawn, torch.rand(3, device=NPU))

    generator = torch.Generator(device="npu").manual_seed(3)
    drawn = torch.randn(3, device=NPU, generator=generator)
    assert torch.equal(drawn, torch.randn(3, device=NPU, generator=generator.manual_seed(3)))

    with raises(RuntimeError, match="Expected a 'npu' device type for generator but found 'cpu'"):
        torch.randn(3, device=NPU, generator=torch.Generator())

    host = torch.get_rng_state()
    ones = torch.ones(10_000, device=NPU)
    dropped = (dropout(ones, 0.3) == 0).float().mean().item()
    assert dropped == approx(0.3, abs=0.03)
    assert torch.equal(host, torch.get_rng_state())  # the device draws from a generator of its own
    assert sorted(torch.randperm(50, device=NPU).tolist()) == list(range(50))
    assert torch.multinomial(torch.tensor([0.0, 1.0], device=NPU), 1).item() == 1
    normal = torch.empty(10_000, device=NPU).normal_(2, 3)
    assert (normal.mean().item(), normal.std().item()) == (approx(2, abs=0.2), approx(3, abs=0.2))


def test_tensors_on_different_devices() -> None:
    here, host, there = torch.ones(3, 3, device=NPU), torch.ones(3, 3), torch.ones(3, 3, device=OTHER)
    message = "Expected all tensors to be on the same device"
    for wrong in (host, there):
        for call in (torch.add, torch.mm, torch.nn.functional.mse_loss, torch.dot):
            with raises(RuntimeError, match=message):
                call(here.flatten(), wrong.flatten()) if call is torch.dot else call(here, wrong)
        for lists in (torch.cat, torch.stack):
            with raises(RuntimeError, match=message):
                lists([here, wrong])
        with raises(RuntimeError, match=message):
            here.index_select(0, torch.zeros(1, dtype=torch.long, device=wrong.device))
        with raises(RuntimeError, match=message):
            torch._foreach_add_([here], [wrong])
    with raises(RuntimeError, match="indices should be either on cpu or on the same device"):
        here[torch.zeros(1, dtype=torch.long, device=OTHER)]


def test_what_may_be_elsewhere() -> None:
    here = torch.ones(3, device=NPU)
    assert (here * torch.tensor(2.0)).tolist() == [2, 2, 2]  # a number
    assert here[torch.tensor([0, 1])].device == NPU  # indices on the CPU
    for like in (torch.zeros_like, torch.ones_like, torch.rand_like):
        assert like(here, device="cpu").device.type == "cpu"
        assert like(here, device="meta").is_meta  # as DeepSpeed's ZeRO-2 asks for shapes
    assert torch.ones(3).npu(1).to(NPU).sum().item() == 3
    torch._foreach_add_([here, torch.ones(3, device=OTHER)], 1.0)  # entries, each on its own device
    assert here.tolist() == [2, 2, 2]
    into = torch.empty(3)
    assert into.copy_(here) is into and into.tolist() == [2, 2, 2]


def test_a_number_on_the_host_is_taken_where_torch_npu_asks_for_it() -> None:
    """op-plugin's kernels of these look for it; those of the others hand the tensor to CANN."""
    here, number = torch.full((3,), 3.0, device=NPU), torch.tensor(2.0)
    for call in (torch.add, torch.sub, torch.mul, torch.div, torch.pow, torch.maximum, torch.gt, torch.ge, torch.fmod):
        assert torch.equal(call(here, number).cpu(), call(here.cpu(), number))
    assert torch.where(here > number, here, number).tolist() == [3, 3, 3]
    assert here.clone().masked_fill_(here > number, number).tolist() == [2, 2, 2]
    assert (number - here).tolist() == [-1, -1, -1] and (2 - here).tolist() == [-1, -1, -1]
    for wrong in (
        lambda: torch.addcmul(here, here, number),
        lambda: torch.addcdiv(here, number, here),
        lambda: torch.lerp(here, here, number),
        lambda: torch.clamp(here, min=number),
        lambda: torch.logical_and(here, number),
    ):
        with raises(RuntimeError, match="Expected all tensors to be on the same device"):
            wrong()


def test_what_overlaps_is_refused_as_on_the_cpu() -> None:
    for device in (torch.device("cpu"), NPU):
        y = torch.arange(9.0, device=device).view(3, 3)
        flat = y.flatten()
        for wrong in (
            lambda flat=flat: flat[1:].copy_(flat[:-1]),
            lambda flat=flat: torch.add(flat[:-1], 1, out=flat[1:]),
            lambda flat=flat: flat[1:].mul_(flat[:-1]),
            lambda flat=flat: torch.cat([flat[:4]], out=flat[2:6]),
            lambda y=y: y.copy_(y.t()),
            lambda y=y: y.add_(y.t()),
            lambda flat=flat: torch._foreach_add_([flat[1:]], [flat[:-1]]),
        ):
            with raises(RuntimeError, match=r"(share a single|single) memory location|partially overlap|overlap"):
                wrong()
        assert torch.equal(y.cpu(), torch.arange(9.0).view(3, 3))
        assert flat.add_(flat).tolist() == [2.0 * i for i in range(9)]  # itself is no overlap
        assert flat[1:].copy_(flat[:-1].clone()).tolist() == [2.0 * i for i in range(8)]
        flat[:4].copy_(flat[4:8])
        torch.add(flat[:4], 1, out=flat[4:8])


def test_elementwise_on_permuted_tensors_with_sizes_of_one() -> None:
    """Their strides can be read as contiguous, as channels last, or as neither."""
    a = torch.rand(320, device=NPU).as_strided((1, 10, 32, 1), (10, 1, 10, 1))
    for call in (torch.mul, torch.add, torch.eq, lambda x, y: torch.addcmul(x, x, y)):
        assert torch.equal(call(a, a).cpu(), call(a.cpu(), a.cpu()))
    g, left = torch.rand(32, 1, 10), torch.rand(32, 1)
    wanted = torch.einsum("kbj,kvj,kb->bj", g, g, left)
    assert torch.equal(torch.einsum("kbj,kvj,kb->bj", g.to(NPU), g.to(NPU), left.to(NPU)).cpu(), wanted)
    chosen = random.Random(0)
    for dims in (4, 5) * 200:
        shape = [chosen.choice((1, 2, 3)) for _ in range(dims)]
        x, y = (
            torch.rand([shape[i] for i in order]).permute([order.index(i) for i in range(dims)])
            for order in (chosen.sample(range(dims), dims) for _ in range(2))
        )
        x_there, y_there = (torch.empty_strided(z.shape, z.stride(), device=NPU).copy_(z) for z in (x, y))
        product, wanted = x_there * y_there, x * y
        assert torch.equal(product.cpu(), wanted) and product.stride() == wanted.stride()


def test_a_devices_context_is_active_once_it_was_set(program: Program) -> None:
    done = program("""
import torch, torch_npu
torch.ones(1, device="npu:0")
active = lambda: [torch_npu._C._npu_hasPrimaryContext(device) for device in range(3)]
before = active()
torch.ones(1, device="npu:2")
print(before, active())
""")
    assert done.stdout.strip() == "[True, False, False] [True, False, True]", done.stderr


def test_factories_and_views() -> None:
    made = (
        torch.arange(3, device=NPU), torch.eye(2, device=NPU), torch.full((2,), 3.0, device=NPU),
        torch.linspace(0, 1, 5, device=NPU), torch.tensor([1, 2], device=NPU), torch.zeros(2, device="npu"),
    )  # fmt: skip
    assert all(tensor.device == NPU for tensor in made)
    base = torch.zeros(2, 3, device=NPU)
    base.view(-1).t()[::2].add_(1)
    assert base.flatten().tolist() == [1, 0, 1, 0, 1, 0]
    out = torch.empty(0, device=NPU)
    torch.add(base, base, out=out)
    assert out.shape == base.shape and out.sum().item() == 6


def test_float64_as_silicon_has_it() -> None:
    x = torch.eye(2, dtype=torch.float64).npu()
    with warns(UserWarning, match="virtual NPU computes aten::mm in Double; an Ascend 910B refuses"):
        torch.mm(x, x)
    assert torch.ones(1, device=NPU).double().dtype == torch.float32  # torch_npu's own doing, with its own warning


def test_what_is_not_emulated() -> None:
    boxes = torch.rand(2, 4, device=NPU)
    with raises(NotImplementedError, match=r"not emulated by the virtual NPU: npu::npu_iou"):
        torch_npu.npu_iou(boxes, boxes)
    with raises(NotImplementedError, match=r"not emulated by the virtual NPU: npu::npu_moe_gating_top_k_softmax"):
        torch_npu.npu_moe_gating_top_k_softmax(boxes, k=1)
    with raises(NotImplementedError, match="npu_fusion_attention with sparse_mode 4"):
        q = torch.rand(1, 1, 4, 8, device=NPU)
        mask = torch.zeros(4, 4, dtype=torch.bool, device=NPU)
        torch_npu.npu_fusion_attention(q, q, q, 1, "BNSD", atten_mask=mask, sparse_mode=4)


def test_what_several_devices_of_one_process_share_is_refused_by_name(program: Program) -> None:
    done = program("""
import torch
from multiprocessing.reduction import ForkingPickler
import torch.multiprocessing
model = torch.nn.DataParallel(torch.nn.Linear(3, 2).to("npu:0"), device_ids=[0, 1])
for wrong in (
    lambda: model(torch.ones(4, 3, device="npu:0")),
    lambda: ForkingPickler.dumps(torch.ones(3, device="npu:0")),
    lambda: torch.batch_norm_stats(torch.zeros(4, 2, device="npu:0"), 1e-5),
):
    try:
        wrong()
    except RuntimeError as error:
        print([line for line in str(error).splitlines() if "not emulated" in line])
""")
    said = done.stdout.splitlines()
    assert len(said) == 3, done.stdout + done.stderr
    assert "not emulated by the virtual NPU: HcclCommInitAll" in said[0] and "torchrun" in said[0]
    assert "not emulated by the virtual NPU: aclrtIpcMemGetExportKey" in said[1]
    assert "not emulated by the virtual NPU: aten::batch_norm_stats" in said[2]


def test_the_size_of_the_device_does_not_change_while_it_is_used(program: Program) -> None:
    done = program("""
import os, torch
before = torch.npu.mem_get_info(0)[1]
os.environ.update(VIRTUAL_NPU_MEMORY_GIB="1", VIRTUAL_NPU_DEVICES="2")
print(torch.npu.mem_get_info(0)[1] == before, torch.npu.device_count(), torch.ones(1, device="npu:3").item())
""")
    assert done.stdout.strip() == "True 4 1.0", done.stderr


def test_every_operator_of_torch_npu_is_emulated_or_refused() -> None:
    """No operator of torch_npu's own is left to a CANN that is not there."""
    left = [
        name
        for name in torch._C._dispatch_get_all_op_names()
        if name.startswith(("npu::", "atb::"))
        and "virtual" not in torch._C._dispatch_dump(name).split("PrivateUse1:")[-1].split("\n")[0]
        and "npu_operators.cpp" not in torch._C._dispatch_dump(name)
    ]
    on_the_host = {
        "get_npu_format", "get_storage_size", "npu_change_data_ptr", "copy_memory_", "npu_format_cast",
        "npu_format_cast_", "_npu_format_cast", "empty_with_format", "unsafe_empty_with_format", "set_op_timeout_ms",
    }  # fmt: skip
    assert {name.removeprefix("npu::").split(".")[0] for name in left} <= on_the_host


def test_transfer_to_npu(program: Program) -> None:
    done = program("""
import torch, torch_npu
from torch_npu.contrib import transfer_to_npu
x = torch.ones(2, 2).cuda()
with torch.autocast("cuda", dtype=torch.float16):
    print(x.device, (x @ x).dtype, torch.cuda.is_available(), torch.cuda.get_device_name(0))
""")
    assert done.stdout.strip() == "npu:0 torch.float16 True Ascend910B3", done.stderr
