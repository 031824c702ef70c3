"""torch_npu's fused operators against their definitions in plain PyTorch on the CPU, forward and backward."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
import torch.nn.functional as F
import torch_npu
from torch import Tensor
from torch.testing import assert_close

NPU = torch.device("npu:0")


def rotated(x: Tensor) -> Tensor:
    left, right = x.chunk(2, -1)
    return torch.cat((-right, left), -1)


def rms_norm(x: Tensor, weight: Tensor) -> Tensor:
    return x / torch.sqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight


def swiglu(x: Tensor) -> Tensor:
    gate, up = x.chunk(2, -1)
    return F.silu(gate) * up


def masked_softmax(x: Tensor, mask: Tensor) -> Tensor:
    return torch.softmax((x * 0.5).masked_fill(mask, -10000.0), -1)


def check(npu: Callable[..., Tensor], plain: Callable[..., Tensor], inputs: Sequence[Tensor]) -> None:
    """Both give the same values and the same gradients."""
    sides = []
    for function, device in ((plain, torch.device("cpu")), (npu, NPU)):
        leaves = [x.detach().to(device, copy=True).requires_grad_(x.is_floating_point()) for x in inputs]
        result = function(*leaves)
        assert result.device == device
        result.pow(2).sum().backward()
        sides.append([result, *(leaf.grad for leaf in leaves if leaf.requires_grad)])
    for want, got in zip(*sides, strict=True):
        assert_close(got.cpu(), want, atol=1e-5, rtol=1e-4)


X = torch.randn(2, 3, 4, 8, generator=torch.Generator().manual_seed(0))
WEIGHT = torch.linspace(0.5, 2, 8)
ANGLES = torch.randn(1, 1, 4, 8, generator=torch.Generator().manual_seed(1))
MASK = torch.ones(4, 8, dtype=torch.bool).triu(1)[None, None]

CASES: dict[str, tuple[Callable[..., Tensor], Callable[..., Tensor], Sequence[Tensor]]] = {
    "rms_norm": (lambda x, w: torch_npu.npu_rms_norm(x, w)[0], rms_norm, (X, WEIGHT)),
    "add_rms_norm": (
        lambda x, y, w: torch_npu.npu_add_rms_norm(x, y, w)[0],
        lambda x, y, w: rms_norm(x + y, w),
        (X, X.flip(0), WEIGHT),
    ),
    "swiglu": (torch_npu.npu_swiglu, swiglu, (X,)),
    "rotary_mul": (
        torch_npu.npu_rotary_mul,
        lambda x, cos, sin: x * cos + rotated(x) * sin,
        (X, ANGLES.cos(), ANGLES.sin()),
    ),
    "fast_gelu": (torch_npu.fast_gelu, lambda x: x * torch.sigmoid(1.702 * x), (X,)),
    "gelu": (torch_npu.npu_gelu, F.gelu, (X,)),
    "silu": (torch_npu.npu_silu, F.silu, (X,)),
    "linear": (torch_npu.npu_linear, F.linear, (X[0, 0], X[1, 0])),
    "dtype_cast": (lambda x: torch_npu.npu_dtype_cast(x, torch.float16).float(), lambda x: x.half().float(), (X,)),
    "scaled_masked_softmax": (
        lambda x, mask: torch_npu.npu_scaled_masked_softmax(x, mask, 0.5, False),
        masked_softmax,
        (X, MASK),
    ),
    "cross_entropy_loss": (
        lambda x, y: torch_npu.npu_cross_entropy_loss(x, y)[0],
        lambda x, y: F.cross_entropy(x, y).view(1),
        (X[0, 0], torch.tensor([1, 0, 7, -100])),
    ),
    "confusion_transpose": (
        lambda x: torch_npu.npu_confusion_transpose(x, (0, 2, 1, 3), (2, 4, 24), True),
        lambda x: x.transpose(1, 2).reshape(2, 4, 24),
        (X,),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_operator(name: str) -> None:
    check(*CASES[name])


def heads(tokens: int, count: int, seed: int) -> Tensor:
    return torch.randn(2, count, tokens, 8, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layout", ["BNSD", "BSND", "BSH", "SBH"])
def test_fusion_attention_layouts(layout: str) -> None:
    to = {
        "BNSD": lambda x: x,
        "BSND": lambda x: x.transpose(1, 2),
        "BSH": lambda x: x.transpose(1, 2).flatten(2),
        "SBH": lambda x: x.permute(2, 0, 1, 3).flatten(2),
    }[layout]

    def npu(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch_npu.npu_fusion_attention(to(q), to(k), to(v), 4, layout, scale=8**-0.5)[0]

    def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return to(F.scaled_dot_product_attention(q, k, v, enable_gqa=True))

    check(npu, plain, (heads(5, 4, 0), heads(5, 2, 1), heads(5, 2, 2)))


@pytest.mark.parametrize("mode", [0, 2, 3])
def test_fusion_attention_masks(mode: int) -> None:
    """As transformers calls it: the causal modes with the fixed compressed mask."""
    queries, keys = 3, 5
    shift = {0: 0, 2: 0, 3: keys - queries}[mode]
    left_out = torch.ones(queries, keys, dtype=torch.bool).triu(shift + 1)
    given = left_out if mode == 0 else torch.ones(2048, 2048, dtype=torch.bool).triu(1)

    def npu(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        mask = given.to(NPU)
        return torch_npu.npu_fusion_attention(q, k, v, 2, "BNSD", atten_mask=mask, scale=8**-0.5, sparse_mode=mode)[0]

    def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=~left_out)

    check(npu, plain, (heads(queries, 2, 0), heads(keys, 2, 1), heads(keys, 2, 2)))


@pytest.mark.parametrize("mode", [1, 2, 3])
def test_fusion_attention_that_lacks_its_mask_is_refused(mode: int) -> None:
    q = heads(4, 2, 0).to(NPU)
    with pytest.raises(RuntimeError, match=f"sparse_mode {mode} needs an atten_mask"):
        torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD", sparse_mode=mode)


@pytest.mark.parametrize("mode", [2, 3])
def test_fusion_attention_wants_the_causal_mask_compressed(mode: int) -> None:
    q, whole = heads(4, 2, 0).to(NPU), torch.ones(4, 4, dtype=torch.bool, device=NPU).triu(1)
    with pytest.raises(RuntimeError, match="needs the compressed atten_mask, a triangle of 2048 rows and columns"):
        torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD", atten_mask=whole, sparse_mode=mode)


@pytest.mark.parametrize(("before", "after"), [(5, 0), (1, 1), (4, -1)])
def test_fusion_attention_in_a_band(before: int, after: int) -> None:
    """pre_tockens and next_tockens say what of the mask is computed at all; the mask has to say the same."""
    ones = torch.ones(5, 5, dtype=torch.bool)
    outside = ones.triu(after + 1) | ones.tril(-before - 1)
    band = {"pre_tockens": before, "next_tockens": after, "scale": 8**-0.5}

    def npu(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return torch_npu.npu_fusion_attention(q, k, v, 2, "BNSD", atten_mask=outside.to(NPU), **band)[0]

    def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        weights = (q @ k.mT * 8**-0.5).masked_fill(outside, -1e30).softmax(-1)
        return (weights @ v).masked_fill(outside.all(-1, keepdim=True), 0)

    check(npu, plain, (heads(5, 2, 0), heads(5, 2, 1), heads(5, 2, 2)))
    q, nothing = heads(5, 2, 0).to(NPU), torch.zeros(5, 5, dtype=torch.bool, device=NPU)
    with pytest.raises(NotImplementedError, match="leaves open what pre_tockens and next_tockens cut off"):
        torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD", atten_mask=nothing, **band)
    without = torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD", **band)[0]  # no mask: the band is not looked at
    assert_close(without, F.scaled_dot_product_attention(q, q, q))


def test_an_argument_that_is_not_emulated_is_refused_by_name() -> None:
    q = heads(4, 2, 0).to(NPU)
    fine = torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD", inner_precise=1, sync=True, gen_mask_parallel=False)
    assert torch.equal(fine[0], torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD")[0])
    with pytest.raises(NotImplementedError, match="npu_fusion_attention with actual_seq_qlen"):
        torch_npu.npu_fusion_attention(q, q, q, 2, "BNSD", actual_seq_qlen=[4])
    with pytest.raises(NotImplementedError, match="npu_apply_rotary_pos_emb with layout"):
        torch_npu.npu_apply_rotary_pos_emb(q, q, q, q, "TND")


def test_rms_norm_rounds_once_to_the_type_of_its_input() -> None:
    x = torch.randn(64, 32, generator=torch.Generator().manual_seed(0)).bfloat16()
    for weight in (torch.linspace(0.5, 2, 32), torch.linspace(0.5, 2, 32).bfloat16()):
        y, scale = torch_npu.npu_rms_norm(x.to(NPU), weight.to(NPU))
        assert (y.dtype, scale.dtype) == (torch.bfloat16, torch.float32)
        assert torch.equal(y.cpu(), rms_norm(x.double(), weight.double()).bfloat16())


def test_fusion_attention_of_packed_sequences() -> None:
    ends = [2, 7]
    packed = [torch.randn(7, 2, 8, generator=torch.Generator().manual_seed(seed)) for seed in range(3)]

    def npu(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        mask = torch.ones(2048, 2048, dtype=torch.bool, device=NPU).triu(1)
        return torch_npu.npu_fusion_attention(
            q, k, v, 2, "TND", atten_mask=mask, scale=8**-0.5, sparse_mode=3,
            actual_seq_qlen=ends, actual_seq_kvlen=ends,
        )[0]  # fmt: skip

    def plain(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        parts = []
        for start, end in zip([0, *ends], ends, strict=False):
            part = [x[start:end].transpose(0, 1) for x in (q, k, v)]
            parts.append(F.scaled_dot_product_attention(*part, is_causal=True).transpose(0, 1))
        return torch.cat(parts)

    check(npu, plain, packed)


def test_format_cast_keeps_the_values() -> None:
    """In a private format of CANN as well, 29 (FRACTAL_NZ), which torch_npu does not use unless it is told to."""
    x = X.to(NPU)
    assert torch.equal(torch_npu.npu_format_cast(x, 2), x) and torch_npu.get_npu_format(x) == 2
    for dtype in (torch.float32, torch.float16):
        matrix = torch.randn(32, 32, device=NPU).to(dtype)
        assert torch.equal(torch_npu.npu_format_cast(matrix, 29), matrix)
