"""Builds the stand-in libraries, once for each torch, torch_npu and state of the sources.

The result is a folder with the layout that CANN's environment variables point to::

    lib64/libascendcl.so, libhccl.so ...   what torch_npu links to
    lib64/libvirtual_npu_kernels.so        comes in when the device starts
    lib64/VIRTUAL_NPU                      tells that these are not CANN's
    bin/npu-smi
    runtime/ compiler/ opp/                empty, torch_npu looks whether they exist
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standins.npu import symbols
from standins.npu.selection import compiler
from standins.npu.versions import Torch
from standins.sharing import make_readable

MARK = "lib64/VIRTUAL_NPU"
"""A file beside the libraries that CANN does not have: these are the stand-ins, wherever the folder lies."""
MARK_SYMBOL = "virtual_npu_mark"
"""What libascendcl.so exports for the same purpose, where a library is met without its folder."""
SOURCES = Path(__file__).parent / "src"
JOBS = 2
FLAGS = ("-std=c++20", "-fPIC", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter")
# CANN spreads its functions over more libraries than these two: the other names that torch_npu links to or opens.
ALIASES = {
    "libascendcl.so": (
        "libacl_op_compiler",
        "libge_runner",
        "libgraph",
        "libacl_tdt_channel",
        "libatb",
        "libmsprofiler",
        "libascend_hal",
        "libopapi",
        "libmspti",
    ),
    "libhccl.so": ("libhcomm",),
}


class BuildError(RuntimeError):
    """The compiler refused; the message is its own."""


@dataclass(frozen=True)
class Library:
    """A shared library or program and the sources that make it."""

    file: str
    sources: tuple[str, ...]
    link: tuple[str, ...] = ()
    uses_torch: bool = False


RUNTIME = Library(
    "lib64/libascendcl.so",
    ("acl_runtime", "acl_memory", "acl_streams", "acl_operators", "acl_profiling", "acl_refused", "driver"),
    ("-shared", "-Wl,-soname,libascendcl.so", "-ldl"),
)
HCCL = Library(
    "lib64/libhccl.so",
    ("hccl", "communicator"),
    ("-shared", "-Wl,-soname,libhccl.so", "-Llib64", "-lascendcl", "-lrt"),
)
KERNELS = Library(
    "lib64/libvirtual_npu_kernels.so",
    ("register_kernels", "aten_kernels", "device_tensors", "random_numbers", "npu_operators", "attention", "sizes"),
    ("-shared", "-ltorch_npu", "-ltorch_cpu", "-lc10"),
    uses_torch=True,
)
NPU_SMI = Library("bin/npu-smi", ("npu_smi",))
LIBRARIES = (RUNTIME, HCCL, KERNELS, NPU_SMI)


def digest() -> str:
    """Changes with every source file and compiler flag."""
    sha = hashlib.sha256(" ".join(FLAGS).encode())
    for file in sorted(SOURCES.iterdir()):
        sha.update(file.name.encode() + b"\0" + file.read_bytes())
    sha.update(Path(__file__).read_bytes())
    return sha.hexdigest()


def location(home: Path, torch: Torch) -> Path:
    """The folder of the libraries for this torch and torch_npu, whether built or not."""
    return home / "npu" / f"{torch.torch_npu.version}-torch-{torch.torch.version}-{platform.machine()}-{digest()[:12]}"


def built(home: Path, torch: Torch) -> Path:
    """Build where that is still to do; the folder of the libraries.

    Raises :class:`BuildError` with the compiler's message, :class:`symbols.MissingSymbolsError` where this torch_npu
    needs more.
    """
    folder = location(home, torch)
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder.with_name(f"{folder.name}.lock")):
        if not folder.is_dir():
            print(
                f"standins: building the virtual NPU for torch_npu {torch.torch_npu.version} (once, about 20 s)",
                file=sys.stderr,
            )
            _build(folder, torch)
    return folder


@contextmanager
def _one_at_a_time(file: Path) -> Iterator[None]:
    """Wait while another process builds; the kernel lets go of the lock when a builder dies."""
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, torch: Torch) -> None:
    # The folder takes its name when it is whole: a build that was interrupted is never taken for one that was not.
    with tempfile.TemporaryDirectory(prefix=".building-", dir=folder.parent) as name:
        unfinished = Path(name) / "cann"
        for part in ("lib64", "bin", "objects", "runtime", "compiler", "opp"):
            (unfinished / part).mkdir(parents=True)
        units = [(library, source) for library in LIBRARIES for source in library.sources]
        with ThreadPoolExecutor(JOBS) as pool:
            list(pool.map(lambda unit: _compile(unit[0], unit[1], unfinished, torch), units))
        for library in LIBRARIES:
            _link(library, unfinished, torch)
        for target, aliases in ALIASES.items():
            for alias in aliases:
                (unfinished / "lib64" / f"{alias}.so").symlink_to(target)
        (unfinished / MARK).write_text("These libraries take the place of CANN's: no Ascend device is behind them.\n")
        shutil.rmtree(unfinished / "objects")
        symbols.check(torch, unfinished / "lib64")
        make_readable(unfinished, folder.parent)
        unfinished.rename(folder)


def _compile(library: Library, source: str, unfinished: Path, torch: Torch) -> None:
    if library.uses_torch:
        headers = [torch.torch.folder / "include"]
        defines = ["-DAT_PER_OPERATOR_HEADERS"]
    else:
        include = torch.torch_npu.folder / "include"
        headers = [include, include / "third_party/acl/inc", include / "third_party/hccl/inc"]
        defines = []
    includes = [argument for header in headers for argument in ("-isystem", str(header))]
    _run([*FLAGS, *defines, *includes, "-c", str(SOURCES / f"{source}.cpp"), "-o", f"objects/{source}.o"], unfinished)


def _link(library: Library, unfinished: Path, torch: Torch) -> None:
    objects = [f"objects/{source}.o" for source in library.sources]
    packages = (torch.torch_npu, torch.torch) if library.uses_torch else ()
    paths = [f"-L{package.folder / 'lib'}" for package in packages]
    _run([*objects, "-o", library.file, *paths, *library.link], unfinished)


def _run(arguments: Sequence[str], folder: Path) -> None:
    found = compiler()
    if found is None:
        raise BuildError("no C++ compiler: install g++, or set NPU=off for plain CPU")
    command = [found, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"})
    if done.returncode:
        raise BuildError(f"the virtual NPU could not be built:\n{shlex.join(command)}\n{done.stderr}")
