"""Compilers that refuse, the oldest that does not, and the other architecture."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from standins import npu
from standins.npu import build, provider, symbols
from standins.npu.versions import Package, Torch, installed_torch

CROSS = "aarch64-linux-gnu-"
ONLY_READ = (*build.FLAGS, "-fsyntax-only")  # a compiler that refuses does so then, in half the time


@pytest.fixture
def torch() -> Torch:
    found = installed_torch()
    assert found
    return found


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'x.cpp:1:2: error: _Float16 does not name a type' >&2; exit 1", "error: _Float16 does not name a type"),
        ("kill -9 $$", "it gave no reason"),
    ],
)
@pytest.mark.trial("g++ 11 (Ubuntu 22.04), and g++ 12 on aarch64: _Float16 was not declared, a traceback")
def test_one_that_refuses_is_plain_cpu_and_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], script: str, said: str
) -> None:
    """A compiler that refuses is plain CPU, and one sentence with its reason and the oldest that does."""
    fake = tmp_path / "g++-4"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setenv("CXX", str(fake))
    with npu.provide(tmp_path / "home", tmp_path) as provision:
        assert provision.device and provision.device.kind == "cpu"
        assert f"can not build the virtual one ({said}); g++ 11 or newer does" in provision.device.reason
    told = capfd.readouterr().err.splitlines()
    assert len(told) == 2 and "the examples run on plain CPU" in told[-1], "and nothing of the compiler's pages"


@pytest.mark.trial("A home or a cache that can not be written: PermissionError, a traceback")
def test_a_cache_that_can_not_be_written_is_one_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plain CPU, and one sentence that names the folder and STANDINS_HOME."""
    home = tmp_path / "home"
    home.write_text("a file")  # root may write into every folder
    with npu.provide(home, tmp_path) as provision:
        assert provision.device and provision.device.kind == "cpu"
        assert str(home) in provision.device.reason and "STANDINS_HOME" in provision.device.reason


@pytest.mark.trial("PyPI's torch, a CUDA build since 2.11, beside torch_npu: import torch aborted")
def test_a_cuda_build_that_aborts_beside_torch_npu_is_plain_cpu(
    tmp_path: Path, torch: Torch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain CPU, and a sentence that says to install the CPU build.

    PyPI's torch is one on every Linux; pip gives it to whoever can not reach the CPU index.
    """
    assert not torch.for_cuda
    (tmp_path / "version.py").write_text("from typing import Optional\ncuda: Optional[str] = '13.0'\nhip = None\n")
    cuda = replace(torch, torch=Package("2.13.0", tmp_path))
    assert cuda.for_cuda
    monkeypatch.setattr(provider, "installed_torch", lambda: cuda)
    monkeypatch.setattr(build, "built", lambda *_: tmp_path)
    for works, kind in {True: "virtual-npu", False: "cpu"}.items():
        monkeypatch.setattr(provider, "imports", lambda _, works=works: works)
        with npu.provide(tmp_path, tmp_path) as provision:
            assert provision.device and provision.device.kind == kind
    assert "install the CPU build" in provision.device.reason


def read_at_once(library: build.Library, folder: Path, torch: Torch, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the compiler read all sources of a library as one: torch's headers, which take nearly all the time, once."""
    renamed = '#define host_side host_side_of_{0}\n#include "{1}/{0}.cpp"\n#undef host_side\n'  # two of them have one
    text = "".join(renamed.format(source, build.SOURCES) for source in library.sources)
    (folder / "all.cpp").write_text(text, encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setattr(build, "SOURCES", folder)
        patch.setattr(build, "FLAGS", ONLY_READ)
        build._compile(library, "all", folder, torch)


@pytest.mark.skipif(not shutil.which("g++-11"), reason="g++-11 is not installed")
@pytest.mark.trial("g++ 11 (Ubuntu 22.04), and g++ 12 on aarch64: _Float16 was not declared, a traceback")
def test_the_oldest_understands_all_of_it(tmp_path: Path, torch: Torch, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it compiles with g++ 11."""
    monkeypatch.setenv("CXX", f"g++-{provider.OLDEST_COMPILER}")
    read_at_once(build.KERNELS, tmp_path, torch, monkeypatch)
    monkeypatch.setattr(build, "FLAGS", ONLY_READ)
    for library in (build.RUNTIME, build.HCCL, build.NPU_SMI):
        for source in library.sources:
            build._compile(library, source, tmp_path, torch)


@pytest.fixture(scope="module")
def wheel_of_aarch64(tmp_path_factory: pytest.TempPathFactory) -> Package:
    """The torch_npu of this environment, as an aarch64 host installs it."""
    found = installed_torch()
    assert found
    version, folder = found.torch_npu.version, tmp_path_factory.mktemp("aarch64")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    command += ["--platform", "manylinux_2_28_aarch64", "--dest", str(folder), f"torch_npu=={version}"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip(f"no package registry has torch_npu {version} for aarch64")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder, [name for name in archive.namelist() if name.endswith((".so", ".h", ".hpp"))])
    return Package(version, folder / "torch_npu")


@pytest.mark.skipif(not shutil.which(f"{CROSS}g++"), reason=f"{CROSS}g++ is not installed")
@pytest.mark.trial("g++ 11 (Ubuntu 22.04), and g++ 12 on aarch64: _Float16 was not declared, a traceback")
def test_aarch64(tmp_path: Path, torch: Torch, wheel_of_aarch64: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it compiles, and has what the aarch64 torch_npu links to (torch's headers and names are the same)."""
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "nm").symlink_to(shutil.which(f"{CROSS}nm") or "")
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CXX", f"{CROSS}g++")
    there = Torch(torch.torch, wheel_of_aarch64)
    for folder in ("lib64", "bin", "objects"):
        (tmp_path / folder).mkdir()
    for library in (build.RUNTIME, build.HCCL, build.NPU_SMI):
        for source in library.sources:
            build._compile(library, source, tmp_path, there)
        build._link(library, tmp_path, there)
    read_at_once(build.KERNELS, tmp_path, there, monkeypatch)  # to link it, the aarch64 torch would have to be here
    missing = symbols.needed(there) - symbols.provided((tmp_path / "lib64").glob("*.so"))
    assert not missing
