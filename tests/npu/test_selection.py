"""Which device is chosen, what it is made of, and what the provision says and leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from standins import npu
from standins.npu import build, provider, pruning, symbols
from standins.npu.selection import Kind, Machine, choose, this_machine
from standins.npu.settings import Settings, settings
from standins.npu.versions import Torch, installed_torch
from standins.provision import home

Program = Callable[..., CompletedProcess[str]]
SHARED_MEMORY = Path("/dev/shm")


@pytest.fixture
def torch() -> Torch:
    found = installed_torch()
    assert found
    return found


def machine(torch: Torch | None, **different: bool) -> Machine:
    facts = {"davinci": False, "cann": False, "compiler": True, "off": False, **different}
    return Machine(torch=torch, **facts)


@pytest.mark.parametrize(
    ("facts", "kind", "reason"),
    [
        ({"davinci": True, "cann": True}, Kind.SILICON, ""),
        ({"davinci": True, "cann": True, "off": True}, Kind.CPU, "NPU=off"),
        ({}, Kind.VIRTUAL, "no Ascend device"),
        ({"cann": True}, Kind.VIRTUAL, "no Ascend device"),
        ({"davinci": True}, Kind.VIRTUAL, "set_env.sh"),
        ({"compiler": False}, Kind.CPU, "install g++"),
        ({"off": True}, Kind.CPU, "NPU=off"),
    ],
)
@pytest.mark.trial("A device file without CANN, stand-in libraries posing as CANN, --real over them: taken for silicon")
def test_choice(torch: Torch, facts: dict[str, bool], kind: Kind, reason: str) -> None:
    """A device file alone is not silicon: the reason says to source set_env.sh."""
    choice = choose(machine(torch, **facts), is_built=lambda: False)
    assert choice.kind is kind and reason in choice.reason and bool(choice.reason) is bool(reason)


def test_libraries_that_exist_need_no_compiler(torch: Torch) -> None:
    assert choose(machine(torch, compiler=False), is_built=lambda: True).kind is Kind.VIRTUAL
    assert choose(machine(None), is_built=lambda: True).kind is Kind.CPU


def test_silicon_is_seen(tmp_path: Path, torch: Torch) -> None:
    (tmp_path / "davinci0").touch()
    cann = {"ASCEND_HOME_PATH": str(tmp_path)}
    found = this_machine(torch, cann, devices=tmp_path)
    assert found.davinci and found.cann
    assert not this_machine(torch, {"ASCEND_HOME_PATH": "/nowhere"}, devices=tmp_path).cann
    (tmp_path / "davinci0").rename(tmp_path / "davinci_manager")
    assert not this_machine(torch, cann, devices=tmp_path).davinci


def test_settings() -> None:
    assert settings({}) == Settings()
    assert settings({"VIRTUAL_NPU_DEVICES": "4", "VIRTUAL_NPU_MEMORY_GIB": "0.5"}) == Settings(4, 0.5)
    for wrong in ({"VIRTUAL_NPU_DEVICES": "17"}, {"VIRTUAL_NPU_DEVICES": "two"}, {"VIRTUAL_NPU_MEMORY_GIB": "0"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            settings(wrong)


def test_provision_is_honest_and_fast(tmp_path: Path, torch: Torch) -> None:
    with npu.provide(home(), tmp_path):
        pass
    start = time.process_time()
    with npu.provide(home(), tmp_path) as provision:
        used = time.process_time() - start
        assert provision.device and provision.device.kind == "virtual-npu" and provision.device.reason
        for standin in provision.standins[:1]:
            assert "虚拟 NPU" in standin.zh and "virtual NPU" in standin.en
            for package in (torch.torch, torch.torch_npu):
                assert package.version in standin.zh and package.version in standin.en
        first = provision.content
    assert used < 1  # seconds of computing: torch alone takes more to import
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VIRTUAL_NPU_MEMORY_GIB", "32")
        with npu.provide(home(), tmp_path) as provision:
            assert provision.content != first


def test_plain_cpu_says_so_and_hides_torch_npu(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NPU", "off")
        for name in ("LD_LIBRARY_PATH", "ASCEND_HOME_PATH", "ASCEND_OPP_PATH"):
            patch.delenv(name, raising=False)
        with npu.provide(home(), tmp_path) as provision:
            assert provision.device and (provision.device.kind, provision.standins) == ("cpu", ())
            environment = provision.applied(os.environ)
            code = (
                "from transformers import TrainingArguments; from transformers.utils import is_torch_npu_available; "
                "from accelerate.utils import is_npu_available; "
                "print(is_torch_npu_available(), is_npu_available(), TrainingArguments().device)"
            )
            done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout.strip() == "False False cpu", done.stderr
    assert capfd.readouterr().err == "standins: no NPU, the examples run on plain CPU: NPU=off asks for plain CPU.\n"


def test_torch_npu_needs_nothing_that_is_missing(torch: Torch) -> None:
    libraries = build.location(home(), torch) / "lib64"
    needed = symbols.needed(torch)
    assert {"aclInit", "aclrtMalloc"} <= needed and not any(name.startswith(("Py", "dlopen")) for name in needed)
    symbols.check(torch, libraries)


def test_a_torch_npu_that_needs_more_is_refused_by_name(torch: Torch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symbols, "needed", lambda _: frozenset({"aclInit", "aclrtFromTheFuture"}))
    with pytest.raises(symbols.MissingSymbolsError, match=r"needs 1 CANN functions .*: aclrtFromTheFuture\."):
        symbols.check(torch, build.location(home(), torch) / "lib64")


def test_two_builds_at_once_make_one(tmp_path: Path, torch: Torch, monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    def slowly(folder: Path, _: Torch) -> None:
        time.sleep(0.2)
        built.append(folder)
        folder.mkdir()

    monkeypatch.setattr(build, "_build", slowly)
    with ThreadPoolExecutor(2) as pool:
        folders = list(pool.map(lambda _: build.built(tmp_path, torch), range(2)))
    assert len(built) == 1 and folders == [built[0]] * 2


def test_a_failed_build_shows_the_compilers_message_and_leaves_nothing(
    tmp_path: Path, torch: Torch, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = build.Library("bin/npu-smi", ("no_such_file",))
    monkeypatch.setattr(build, "LIBRARIES", (broken,))
    with pytest.raises(build.BuildError, match=r"no_such_file.cpp: No such file"):
        build.built(tmp_path, torch)
    assert [path.suffix for path in (tmp_path / "npu").iterdir()] == [".lock"]


def test_what_a_killed_program_shares_is_removed(tmp_path: Path) -> None:
    with npu.provide(home(), tmp_path) as provision:
        left = SHARED_MEMORY / f"{provision.environment[provider.SESSION]}-1-1"
        left.touch()
    assert not left.exists()


def test_npu_smi_says_virtual() -> None:
    variables = {**os.environ, "VIRTUAL_NPU_DEVICES": "3", "VIRTUAL_NPU_MEMORY_GIB": "1"}
    done = subprocess.run(["npu-smi", "info"], env=variables, capture_output=True, text=True, check=True)
    assert "虚拟 NPU (virtual NPU), no silicon" in done.stdout and done.stdout.count("910B3 虚拟 (virtual)") == 3
    assert done.stdout.count("/ 1024 ") == 3
    refused = subprocess.run(["npu-smi", "set"], env=variables, capture_output=True, text=True)
    assert refused.returncode == 2 and "`npu-smi info` only" in refused.stderr


def test_builds_that_nobody_used_for_long_are_removed_and_nothing_that_is_not_ours(tmp_path: Path) -> None:
    name = "2.12.0-torch-2.12.0+cpu-x86_64-{:012x}"
    now, old, locked, theirs = (
        tmp_path / each for each in (name.format(1), name.format(2), f"{name.format(2)}.lock", "a")
    )
    for folder in (now, old, theirs):
        (folder / "lib64").mkdir(parents=True)
    locked.touch()
    for each in (now, old, locked, theirs):
        os.utime(each, (1, 1))
    assert pruning.used(now) == now
    assert sorted(tmp_path.iterdir()) == sorted([now, theirs])
