"""PyTorch's own database of operators and sample inputs, on the virtual NPU and on the CPU."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.testing import assert_close
from torch.utils._pytree import tree_leaves, tree_map

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # the database would like packages that these tests do not need
    from torch.testing._internal.common_methods_invocations import op_db

NPU = torch.device("npu:0")
SAMPLES = 2  # of each operator and type

# By their whole names: parts of names would leave out normalize and __rand__ (which is &) with normal and rand.
RANDOM = (
    "bernoulli", "cauchy", "exponential", "geometric", "log_normal", "multinomial", "normal", "normal.in_place",
    "normal.number_mean", "rand_like", "randint", "randint_like", "randn", "randn_like", "uniform",
    *(f"nn.functional.{name}" for name in ("dropout", "dropout2d", "dropout3d", "alpha_dropout")),
    "nn.functional.feature_alpha_dropout.with_train",
)  # fmt: skip
WITHOUT_CONTENT = ("empty", "empty_like", "empty_permuted", "empty_strided", "new_empty", "new_empty_strided")
FOR_CUDA = (
    "jiterator_unary", "jiterator_binary", "jiterator_binary_return_by_ref", "jiterator_2inputs_2outputs",
    "jiterator_4inputs_with_extra_args",
)  # fmt: skip

# What torch_npu itself refuses or does otherwise, on silicon as here.
OTHERWISE = {
    "double": "float64 becomes float32",
    "float_power": "float64 becomes float32",
    "cdouble": "channels last is refused",
    **dict.fromkeys(
        ("bfloat16", "bool", "byte", "char", "float", "half", "int", "long", "short", "cfloat", "chalf"),
        "channels last is refused",
    ),
    "sparse.sampled_addmm": "sparse CSR has no kernels",
    "sparse.mm.reduce": "sparse CSR has no kernels",
    "to_sparse": "sparse tensors fall back to the CPU",
}
# Where a sample names the CPU, or asks for something that is no property of the device.
NO_COMPARISON = {
    **dict.fromkeys(RANDOM, "random numbers"),
    **dict.fromkeys(WITHOUT_CONTENT, "no content to compare"),
    **dict.fromkeys(FOR_CUDA, "made for CUDA only"),
    **dict.fromkeys(("torch._scaled_mm", "torch._scaled_mm_v2"), "float8 only"),
    "torch.ops.aten._flash_attention_forward": "made for CUDA only",
    "torch.ops.aten._efficient_attention_forward": "made for CUDA only",
    "nn.functional.batch_norm.without_cudnn": "made for CUDA only; batch_norm itself is compared",
    "to": "the device is an argument",
    "arange": "the device is an argument",
    "tensor_split": "indices have to be CPU tensors on every device",
    "linalg.eig": "eigenvectors are defined up to a phase",
}
# torch composes them of other operators on an accelerator; all others equal the CPU's to the bit in half precision.
ROUNDED_ELSEWHERE = (
    "_batch_norm_with_update", "nn.functional.linear_cross_entropy.chunked",
    "nn.functional.linear_cross_entropy.chunked_none",
)  # fmt: skip


def full_name(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


OPERATORS = {full_name(op): op for op in op_db if full_name(op) not in OTHERWISE and full_name(op) not in NO_COMPARISON}


def test_no_name_is_left_out_that_the_database_does_not_have() -> None:
    everything = [full_name(op) for op in op_db]
    assert len(everything) == len(set(everything)), "two operators of one name would be one test"
    assert {*OTHERWISE, *NO_COMPARISON, *ROUNDED_ELSEWHERE} <= {*everything}
    assert {*everything} == {*OPERATORS} | {*OTHERWISE} | {*NO_COMPARISON}


def samples(op: Any, dtype: torch.dtype) -> Iterator[Any]:
    """Inputs on the CPU; none where the operator does not take the type."""
    if dtype in op.dtypes:
        grad = dtype.is_floating_point and op.supports_autograd
        for _, sample in zip(range(SAMPLES), op.sample_inputs("cpu", dtype, requires_grad=grad), strict=False):
            yield sample


def placed(value: Any, device: torch.device) -> Any:
    """A leaf of its own on this device, laid out alike; gaps between rows would get lost in a copy."""
    if isinstance(value, torch.Tensor):
        here = value.detach()
        if here.layout == torch.strided and not here.is_contiguous() and 0 not in here.stride():
            there = torch.empty_strided(here.shape, here.stride(), dtype=here.dtype, device=device).copy_(here)
        else:
            there = here.to(device, copy=True)
        return there.requires_grad_(value.requires_grad)
    return device if isinstance(value, torch.device) or value == "cpu" else value


def run(function: Any, sample: Any, device: torch.device) -> tuple[list[Any], list[torch.Tensor]]:
    """Results, and the inputs' gradients."""
    inputs = tree_map(lambda value: placed(value, device), (sample.input, sample.args, copy.copy(sample.kwargs)))
    torch.manual_seed(0)
    results = tree_leaves(function(inputs[0], *inputs[1], **inputs[2]))
    roots = [result for result in results if isinstance(result, torch.Tensor) and result.requires_grad]
    if roots:
        total = sum(root.real.sum() if root.is_complex() else root.sum() for root in roots)
        total.backward()
    gradients = [leaf.grad for leaf in tree_leaves(inputs) if isinstance(leaf, torch.Tensor) and leaf.grad is not None]
    return results, gradients


def in_float32(sample: Any) -> Any:
    """The same numbers, of which half precision loses nothing on the way here."""

    def wider(value: Any) -> Any:
        if isinstance(value, torch.Tensor) and value.dtype in (torch.bfloat16, torch.float16):
            return value.detach().float().requires_grad_(value.requires_grad)
        return torch.float32 if value in (torch.bfloat16, torch.float16) else value

    return sample.transform(wider)


def rounds_no_worse_than_the_cpu(function: Any, sample: Any) -> None:
    """Composed of other parts than on the CPU: rounded elsewhere, so both are measured by what float32 gives.

    Whoever rounds once more is no further off than twice what the CPU is, or one step of the largest number's.
    """
    exact, there, here = (
        [result for part in run(function, each, device) for result in part]
        for each, device in ((in_float32(sample), torch.device("cpu")), (sample, torch.device("cpu")), (sample, NPU))
    )
    for want, cpu, npu in zip(exact, there, here, strict=True):
        if isinstance(want, torch.Tensor) and want.numel():
            step = torch.finfo(npu.dtype).eps * want.abs().max().item()
            allowed = max(2 * (cpu.float() - want).abs().max().item(), step)
            assert_close(npu.cpu().float(), want.float(), atol=allowed, rtol=0)


def equal_the_cpus(function: Any, sample: Any, tolerance: float = 1e-4) -> bool:
    """Results and gradients; whether there was anything to compare: a sample that the CPU refuses tells nothing."""
    try:
        wanted = run(function, sample, torch.device("cpu"))
    except (RuntimeError, ValueError, TypeError, NotImplementedError, IndexError):
        return False
    results, gradients = run(function, sample, NPU)
    for result, want in zip(results, wanted[0], strict=True):
        if isinstance(want, torch.Tensor):
            assert result.device == NPU
            assert_close(result.cpu(), want, equal_nan=True, atol=tolerance, rtol=tolerance)
    for gradient, want in zip(gradients, wanted[1], strict=True):
        assert_close(gradient.cpu(), want, equal_nan=True, atol=tolerance, rtol=tolerance)
    return bool(wanted[0])


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_equals_the_cpu(name: str) -> None:
    op = OPERATORS[name]
    types = (torch.float32, torch.int64, torch.bool, torch.complex64)
    compared = [equal_the_cpus(op, sample) for dtype in types[:2] for sample in samples(op, dtype)]
    compared = compared or [equal_the_cpus(op, sample) for dtype in types[2:] for sample in samples(op, dtype)]
    assert any(compared), "nothing was compared"


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_in_half_precision_and_of_tensors_that_are_not_contiguous(name: str) -> None:
    op = OPERATORS[name]
    for dtype in (torch.bfloat16, torch.float16):
        for sample in samples(op, dtype):
            if name in ROUNDED_ELSEWHERE:
                rounds_no_worse_than_the_cpu(op, sample)
            else:
                equal_the_cpus(op, sample, tolerance=0)
    if not name.startswith("as_strided"):  # it reads what lies between the rows, and nobody has written it
        for sample in samples(op, torch.float32):
            equal_the_cpus(op, sample.noncontiguous())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", [name for name in OPERATORS if name != "mode"])  # PyTorch itself refuses it
def test_operator_in_place_and_into_a_result_that_is_given(name: str) -> None:
    op = OPERATORS[name]

    def in_place(x: Any, *args: Any, **kwargs: Any) -> Any:
        x = tree_map(lambda leaf: leaf.detach().clone() if isinstance(leaf, torch.Tensor) else leaf, x)
        return op.inplace_variant(x, *args, **kwargs), x

    def into(x: Any, *args: Any, **kwargs: Any) -> Any:
        with torch.no_grad():
            results = tree_map(
                lambda made: made.new_zeros(made.shape) if isinstance(made, torch.Tensor) else made,
                op(x, *args, **kwargs),
            )
            op(x, *args, **kwargs, out=results)
        return results

    for sample in samples(op, torch.float32):
        if op.inplace_variant:
            with torch.no_grad():
                equal_the_cpus(in_place, sample)
        if op.supports_out:
            equal_the_cpus(into, sample)
