"""What people reported from Ascend hosts, as small programs whose right outcome is known.

Reports that an example of the guide answers are tested where the example is:

- splitting a model with ``device_map`` and ``max_memory`` (accelerate#2191, transformers#27724): examples/device_map.py
- resuming LoRA on two cards (LlamaFactory#8361): examples/several_cards.sh
- ZeRO-3 on two cards (LlamaFactory#5347), the optimizer in host memory (DeepSpeed#7061): examples/sharding.sh
- ``adamw_torch_npu_fused`` in float32 (ms-swift#7327): examples/precision.py
- ``jit_compile`` (FastChat#3268), ``torch.compile`` (speculators#600): examples/device_errors.py
- one's own alpaca file (LlamaFactory#6452): examples/my_data.py
- DPO (LlamaFactory#3670): examples/dpo.py
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They are about NPUs, silicon or virtual."""
    cards = torch.npu.device_count() if hasattr(torch, "npu") else 0
    for item in items:
        if HERE in item.path.parents and cards < 2:
            item.add_marker(pytest.mark.skip(f"two NPUs are needed, there are {cards}"))


@pytest.fixture
def program(tmp_path: Path) -> Callable[..., str]:
    """What a file beside this one prints, started as people start it, in an empty folder."""

    def run(*command: str, **variables: str) -> str:
        name = next(word for word in command if word.endswith(".py"))
        words = [str(HERE / word) if word == name else word for word in command]
        done = subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run
