"""The environment in which an unmodified program finds ``npu:0``."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.metadata import metadata
from pathlib import Path

from standins.npu import build, pruning, symbols
from standins.npu.selection import Choice, Kind, choose, compiler, device_files, this_machine
from standins.npu.settings import Settings, settings
from standins.npu.versions import Torch, installed_torch
from standins.provision import Device, Provision, StandIn

SOC = "Ascend910B3"  # as src/settings.hpp has it
SESSION = "VIRTUAL_NPU_SESSION"
SHARED_MEMORY = Path("/dev/shm")
OLDEST_COMPILER = 11  # C++20, as Ubuntu 22.04 has it
# Left by a launcher in the shell of a training pod: an example would wait for ranks that nobody starts.
LAUNCHED_BY = frozenset(
    {"RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"}
)
# They choose among the chips of the host, or tell HCCL about its network.
OF_THE_HOST = frozenset(
    {"ASCEND_RT_VISIBLE_DEVICES", "ASCEND_VISIBLE_DEVICES", "ASCEND_DEVICE_ID", "RANK_TABLE_FILE"}
    | {"HCCL_IF_IP", "HCCL_SOCKET_IFNAME"}
)
# The arithmetic is the CPU's; on few cores, threads of several processes stand in each other's way.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
WITHOUT_TORCH_NPU = Path(__file__).parent / "without_torch_npu"


@contextmanager
def provide(home: Path, scratch: Path) -> Iterator[Provision]:
    """Lead programs to the best device there is.

    ``home`` keeps the built libraries; ``scratch`` ends with this block, and so does what programs have left behind.
    """
    session = f"virtual-npu-{os.getpid()}-{scratch.name}"
    chosen = settings(os.environ)
    provision = best(home, session, chosen)
    if provision.device and provision.device.kind == Kind.CPU.value:
        if chosen.sizes_only:
            raise ValueError(f"A rehearsal needs the virtual NPU, and there is none: {provision.device.reason}.")
        print(f"standins: no NPU, the examples run on plain CPU: {provision.device.reason}.", file=sys.stderr)
    try:
        yield provision
    finally:
        # Ranks unlink what they share as soon as they have met; one that was killed before could not.
        for left in SHARED_MEMORY.glob(f"{session}-*"):
            left.unlink(missing_ok=True)


def best(home: Path, session: str, chosen: Settings) -> Provision:
    """Of the best device that works here."""
    torch = installed_torch()
    machine = this_machine(torch, os.environ)
    if chosen.sizes_only:  # a rehearsal is one on an Ascend host, too
        machine = replace(machine, davinci=False)
    choice = choose(machine, is_built=lambda: torch is not None and build.location(home, torch).is_dir())
    if choice.kind is Kind.CPU or torch is None:
        return plain_cpu(choice)
    if choice.kind is Kind.SILICON:
        found = Provision(
            device=Device(kind="npu", name="Ascend", count=device_files()), content="npu", without=LAUNCHED_BY
        )
    else:
        try:
            found = virtual(choice, torch, pruning.used(build.built(home, torch)), chosen, session)
        except (build.BuildError, symbols.MissingSymbolsError, OSError, subprocess.CalledProcessError) as error:
            return plain_cpu(Choice(Kind.CPU, f"{choice.reason}, and {why_not_built(error)}"))
    if torch.for_cuda and not imports(found):
        return plain_cpu(
            Choice(
                Kind.CPU,
                f"torch {torch.torch.version} is a CUDA build, beside which torch_npu stops "
                "Python at import; install the CPU build, from https://download.pytorch.org/whl/cpu",
            )
        )
    return found


def why_not_built(error: Exception) -> str:
    """One sentence of what may be pages of a compiler."""
    if isinstance(error, build.BuildError):
        first = re.search(r"\berror: .*", str(error))
        return (
            f"{compiler()} can not build the virtual one ({first.group() if first else 'it gave no reason'}); "
            f"g++ {OLDEST_COMPILER} or newer does, and CXX names another compiler"
        )
    if isinstance(error, OSError) and error.filename:
        return (
            f"the virtual one can not be built: {error.filename}: {error.strerror} (STANDINS_HOME names another folder)"
        )
    return f"the virtual one can not be built: {str(error).rstrip('.')}"


def imports(provision: Provision) -> bool:
    """Whether torch comes up with torch_npu; where it does not, the process aborts."""
    command = [sys.executable, "-c", "import torch"]
    return subprocess.run(command, env=provision.applied(os.environ), capture_output=True).returncode == 0


def plain_cpu(choice: Choice) -> Provision:
    """torch_npu can not be imported without CANN, and transformers imports it where installed: so it is hidden."""
    return Provision(
        environment={
            "TORCH_DEVICE_BACKEND_AUTOLOAD": "0",
            **ONE_THREAD,
        },
        before={"PYTHONPATH": str(WITHOUT_TORCH_NPU)},
        device=Device(kind="cpu", name="CPU", reason=choice.reason),
        content="cpu",
        without=LAUNCHED_BY,
    )


def virtual(choice: Choice, torch: Torch, folder: Path, chosen: Settings, session: str) -> Provision:
    """The virtual device, whose libraries are in ``folder``."""
    return Provision(
        environment={
            # CANN's set_env.sh sets these two, and torch_npu warns without them.
            "ASCEND_HOME_PATH": str(folder),
            "ASCEND_OPP_PATH": str(folder / "opp"),
            # Operators run in the calling thread, so that an error names its line; results with the queue are equal.
            "TASK_QUEUE_ENABLE": "0",
            **ONE_THREAD,
            SESSION: session,
            **chosen.environment(),
        },
        before={"LD_LIBRARY_PATH": str(folder / "lib64"), "PATH": str(folder / "bin")},
        standins=_honest(torch),
        device=Device(kind="virtual-npu", name=SOC, count=chosen.devices, reason=choice.reason),
        content=hashlib.sha256(f"{folder.name} {chosen}".encode()).hexdigest(),
        without=LAUNCHED_BY | OF_THE_HOST,
    )


def _honest(torch: Torch) -> tuple[StandIn, ...]:
    versions = f"torch_npu {torch.torch_npu.version}, torch {torch.torch.version}"
    licence = metadata("torch_npu")["License"]
    return (
        StandIn(
            name="npu:0",
            zh=f"虚拟 NPU：原版 {versions}，CANN 换成了用本机 CPU 计算的库；没有昇腾芯片参与。",
            en=f"A virtual NPU: unmodified {versions} over libraries that take CANN's place and compute on this "
            "machine's CPU. No Ascend chip takes part.",
            source="standins/npu",
            licence=licence,
        ),
        StandIn(
            name="npu-smi",
            zh="虚拟 NPU 自带的小程序，只会 `npu-smi info`，表中写明“虚拟”。",
            en="A small program of the virtual NPU: it knows `npu-smi info` only, and its table says virtual.",
            source="standins/npu",
            licence=licence,
        ),
    )
