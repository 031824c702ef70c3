"""Other Pythons and other systems than the one that runs the tests: what they install, and what ran there."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

import bootstrap
from sets.elsewhere import get_uv
from sets.record import ELSEWHERE, read_all

PYTHONS = [bootstrap.dotted((major, minor)) for major, minor in [(3, 11), (3, 12), (3, 13), (3, 14)]]
SYSTEMS = {
    "x86_64": "x86_64-manylinux_2_28",
    "aarch64": "aarch64-manylinux_2_28",
    "macOS arm64": "aarch64-apple-darwin",
}
UNREACHABLE = ("error sending request", "dns error", "Could not connect")


@pytest.fixture(scope="module")
def uv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """It finds what another Python on another system would get; pip takes the markers of its own."""
    program = tmp_path_factory.mktemp("uv") / "uv"
    if platform.system() != "Linux" or not get_uv(program):
        pytest.skip("no package registry has uv, which finds what other Pythons would get")
    return program


@pytest.mark.trial("Python 3.12, 3.13, 3.14, on x86_64 and aarch64: resolved by hand only")
@pytest.mark.trial("macOS arm64: only torch_npu had no wheel")
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
def test_every_locked_package_has_a_file_there(uv: Path, tmp_path: Path, python: str, system: str) -> None:
    """Every package of the lock has a file with a locked hash for each of them; torch, whose files differ, a wheel."""
    (torch,) = (line for line in bootstrap.pinned(bootstrap.LISTS) if line.startswith("torch=="))
    for wanted in (["--require-hashes", "-r", str(bootstrap.LISTS / bootstrap.LOCK)], [torch]):
        where = ["--python-version", python, "--python-platform", SYSTEMS[system], "--target", str(tmp_path)]
        done = subprocess.run(
            [uv, "pip", "install", "--dry-run", "--no-deps", *where, *wanted],
            env={**os.environ, "MACOSX_DEPLOYMENT_TARGET": "14.0"},  # older ones have no torch
            capture_output=True,
            text=True,
        )
        if any(words in done.stderr for words in UNREACHABLE):
            pytest.skip("no package registry is reachable")
        assert done.returncode == 0, done.stderr
        assert "torch-npu" not in done.stderr or system != "macOS arm64"


def test_the_oldest_and_newest_are_those_that_are_let_in() -> None:
    assert (PYTHONS[0], PYTHONS[-1]) == (bootstrap.dotted(bootstrap.OLDEST), bootstrap.dotted(bootstrap.NEWEST))


@pytest.mark.trial("Python 3.12, 3.13, 3.14, on x86_64 and aarch64: resolved by hand only")
@pytest.mark.parametrize("there", ["aarch64-python3.11", *(f"x86_64-python{python}" for python in PYTHONS[1:])])
def test_a_training_and_two_ranks_ran_there(there: str) -> None:
    """A tokenizer, a training and two ranks ran with each on x86_64, and emulated on aarch64 with 3.11: recorded."""
    (record,) = (each for name, each in read_all(ELSEWHERE).items() if name.endswith(there))
    assert record.examples.keys() >= {"hccl.sh", "laptop.py", "tokenizer.py"}
    assert not [name for name, outcome in record.examples.items() if outcome.failure]
