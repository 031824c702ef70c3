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
RANDOM = ("rand", "normal", "uniform", "bernoulli", "multinomial", "dropout", "exponential", "cauchy", "geometric")
ELSEWHERE = ("empty", "new_empty", "jiterator")  # no content to compare; for CUDA only

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
    "to": "the device is an argument",
    "arange": "the device is an argument",
    "tensor_split": "indices have to be CPU tensors on every device",
    "linalg.eig": "eigenvectors are defined up to a phase",
}


def compared(op: Any) -> bool:
    name = op.name.removeprefix("nn.functional.").removeprefix("_")
    return not any(word in name for word in RANDOM) and not name.startswith(ELSEWHERE)


def full_name(op: Any) -> str:
    return f"{op.name}.{op.variant_test_name}" if op.variant_test_name else op.name


OPERATORS = {
    full_name(op): op
    for op in op_db
    if compared(op) and full_name(op) not in OTHERWISE and full_name(op) not in NO_COMPARISON
}


def samples(op: Any, dtype: torch.dtype) -> Iterator[Any]:
    """Inputs on the CPU; none where the operator does not take the type."""
    if dtype in op.dtypes:
        grad = dtype.is_floating_point and op.supports_autograd
        for _, sample in zip(range(SAMPLES), op.sample_inputs("cpu", dtype, requires_grad=grad), strict=False):
            yield sample


def placed(value: Any, device: torch.device) -> Any:
    """A leaf of its own on this device."""
    if isinstance(value, torch.Tensor):
        return value.detach().to(device, copy=True).requires_grad_(value.requires_grad)
    return device if isinstance(value, torch.device) or value == "cpu" else value


def run(op: Any, sample: Any, device: torch.device) -> tuple[list[Any], list[torch.Tensor]]:
    """Results, and the inputs' gradients."""
    inputs = tree_map(lambda value: placed(value, device), (sample.input, sample.args, copy.copy(sample.kwargs)))
    torch.manual_seed(0)
    results = tree_leaves(op(inputs[0], *inputs[1], **inputs[2]))
    roots = [result for result in results if isinstance(result, torch.Tensor) and result.requires_grad]
    if roots:
        total = sum(root.real.sum() if root.is_complex() else root.sum() for root in roots)
        total.backward()
    gradients = [leaf.grad for leaf in tree_leaves(inputs) if isinstance(leaf, torch.Tensor) and leaf.grad is not None]
    return results, gradients


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", OPERATORS)
def test_operator_equals_the_cpu(name: str) -> None:
    op = OPERATORS[name]
    for dtype in (torch.float32, torch.int64):
        for sample in samples(op, dtype):
            try:
                wanted = run(op, sample, torch.device("cpu"))
            except (RuntimeError, ValueError, TypeError, NotImplementedError, IndexError):
                continue  # a sample that the CPU refuses
            results, gradients = run(op, sample, NPU)
            for result, want in zip(results, wanted[0], strict=True):
                if isinstance(want, torch.Tensor):
                    assert result.device == NPU
                    assert_close(result.cpu(), want, equal_nan=True, atol=1e-4, rtol=1e-4)
            for gradient, want in zip(gradients, wanted[1], strict=True):
                assert_close(gradient.cpu(), want, equal_nan=True, atol=1e-4, rtol=1e-4)
