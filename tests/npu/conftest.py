"""Tests of the virtual NPU.  They run where it stands in; most share this one process, whose torch has loaded it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from standins.provision import REPORT

HERE = Path(__file__).parent
KIND = "virtual-npu"

Program = Callable[..., subprocess.CompletedProcess[str]]


def _device_kind() -> str:
    report = os.environ.get(REPORT)
    return json.loads(Path(report).read_text(encoding="utf-8"))["device"]["kind"] if report else "none"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """On silicon and on plain CPU there is no virtual device to test."""
    if (kind := _device_kind()) != KIND:
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(f"the device here is {kind}, not the virtual NPU"))


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Run Python code, or a file beside this one, in a process of its own with these variables."""

    def run(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        source = [str(HERE / code)] if code.endswith(".py") else ["-c", code]
        return subprocess.run(
            [sys.executable, *source, *arguments],
            env={**os.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
        )

    return run
