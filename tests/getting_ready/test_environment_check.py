"""The environment check ends in the right verdict, and a broken environment prints what the page says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.getting_ready.conftest import Run

REPORT = json.loads(Path(os.environ["STANDINS_REPORT"]).read_text(encoding="utf-8"))
without_npu = pytest.mark.skipif(REPORT["device"]["kind"] == "cpu", reason="there is no NPU, not even a virtual one")


def verdict(run: Run, **variables: str) -> str:
    done = run("environment.py", **variables)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@without_npu
def test_ready(run: Run) -> None:
    assert verdict(run).startswith("READY: ")


@without_npu
def test_not_ready_without_a_card_in_sight(run: Run) -> None:
    assert verdict(run, ASCEND_RT_VISIBLE_DEVICES="99") == "NOT READY: no NPU: the computation ran on the CPU"


@without_npu
@pytest.mark.parametrize(
    ("cell", "sign"),
    [
        ("no_driver", "No such file or directory: 'npu-smi'"),
        ("no_cann", "ImportError: libhccl.so: cannot open shared object file"),
        ("mismatch", "libtorch_npu.so: undefined symbol"),
        ("no_autoload", "accelerator: None"),
        ("no_device", "RuntimeError: No NPUs are available"),
        ("bf16", "ValueError: Your setup doesn't support bf16/gpu"),
        ("unreachable", "OSError: We couldn't connect to 'https://huggingface.invalid' to load the files"),
    ],
)
def test_each_failure_prints_what_tells_it_from_the_others(
    printed: Callable[[str, str], str], cell: str, sign: str
) -> None:
    assert sign in printed("environment_errors.py", cell)
