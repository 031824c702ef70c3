"""Each error of the troubleshooting page is what the page says it is: its heading stands in what the cell printed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.values.record import Outcome
from engine.values.run import Run

SIGNS = {
    ("device_errors.py", "device_number"): "SetDevice(d.index()), error code is 107001",
    ("device_errors.py", "two_devices"): "Expected all tensors to be on the same device",
    ("device_errors.py", "numpy"): "can't convert npu:0 device type tensor to numpy",
    ("device_errors.py", "memory"): "torch.OutOfMemoryError: NPU out of memory",
    ("device_errors.py", "compile"): "InductorError",
    ("device_errors.py", "grad_scaler"): "step() got an unexpected keyword argument 'grad_scaler'",
    ("device_errors.py", "fused"): "must be either float32 or float16, but received torch.bfloat16",
    ("device_errors.py", "fork"): "Cannot re-initialize NPU in forked subprocess",
    ("device_errors.py", "nccl"): "Distributed package doesn't have NCCL built in",
    ("migration.py", "cuda"): "Torch not compiled with CUDA enabled",
    ("training_errors.py", "namespace"): "Repository id must be 'namespace/name', got 'yelp_review_full'",
    ("training_errors.py", "pad"): "Asking to pad but the tokenizer does not have a padding token",
    ("training_errors.py", "ragged"): "expected sequence of length",
    ("training_errors.py", "labels"): "Expected input batch_size (32) to match target batch_size (8)",
    ("training_errors.py", "no_labels"): "The model did not return a loss from the inputs",
    ("training_errors.py", "pad_id"): "Cannot handle batch sizes > 1 if no padding token is defined",
    ("training_errors.py", "vocabulary"): "index out of range in self",
    ("training_errors.py", "float16"): "Attempting to unscale FP16 gradients",
    ("training_errors.py", "four_bit"): "4-bit quantization requires bitsandbytes",
    ("training_errors.py", "renamed"): "unexpected keyword argument 'evaluation_strategy'",
    ("training_errors.py", "template"): "AttributeError\n",
}


@pytest.mark.parametrize(("example", "cell"), SIGNS)
def test_the_error_is_the_one_of_the_heading(
    example: str, cell: str, runs: dict[str, Run], printed: Callable[[str, str], str]
) -> None:
    if any(record.name == cell and record.outcome is Outcome.SKIPPED for record in runs[example].record.cells):
        pytest.skip("there is no NPU, not even a virtual one")
    assert SIGNS[example, cell] in printed(example, cell)


def test_what_the_npu_lacks_is_told_by_a_warning(runs: dict[str, Run]) -> None:
    cell = next(cell for cell in runs["migration.py"].notebook.cells if cell.metadata.get("title") == "fallback")
    if not cell.outputs:
        pytest.skip("there is no NPU, not even a virtual one")
    said = "".join(output.text for output in cell.outputs if output.get("name") == "stderr")
    assert "_linalg_eigvals' is not currently supported on the NPU backend and will fall back to run on the CPU" in said
