"""On ``PYTHONPATH`` where the examples run on plain CPU: an installed torch_npu, useless without CANN, is not found."""

import sys

# importlib.util.find_spec then finds nothing, and an import raises ModuleNotFoundError.
sys.modules["torch_npu"] = None  # type: ignore[assignment]
