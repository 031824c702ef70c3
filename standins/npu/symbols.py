"""What an installed torch_npu asks of CANN, against what the stand-in libraries provide.

``python -m standins.npu.symbols`` prints the list.
"""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Iterable
from pathlib import Path

from standins.npu.versions import Torch, installed_torch


class MissingSymbolsError(RuntimeError):
    """This torch_npu links to CANN functions that the virtual device does not know."""


def needed(torch: Torch) -> frozenset[str]:
    """Names that torch_npu's libraries link to and that neither torch, Python nor the C library defines."""
    libraries = [*torch.torch_npu.folder.glob("lib/*.so"), *torch.torch_npu.folder.glob("_C*.so")]
    defined = provided([*libraries, *torch.torch.folder.glob("lib/*.so")])
    process = ctypes.CDLL(None)  # Python itself and its C library
    return frozenset(
        name
        for name in _names(libraries, "--undefined-only", kinds="U")
        # glibc, libstdc++ and libgcc version their symbols, CANN does not.
        if "@" not in name and name not in defined and not hasattr(process, name)
    )


def provided(libraries: Iterable[Path]) -> frozenset[str]:
    """Names that these libraries define."""
    return frozenset(name.partition("@")[0] for name in _names(libraries, "--defined-only"))


def check(torch: Torch, folder: Path) -> None:
    """Raise :class:`MissingSymbolsError` where the libraries in ``folder`` do not provide all that torch_npu needs."""
    if missing := needed(torch) - provided(folder.glob("*.so")):
        raise MissingSymbolsError(
            f"torch_npu {torch.torch_npu.version} needs {len(missing)} CANN functions that the virtual NPU does not "
            f"provide: {', '.join(sorted(missing))}. Emulate them in standins/npu/src or list them in "
            "acl_refused.def; NPU=off runs the examples on plain CPU."
        )


def _names(libraries: Iterable[Path], which: str, kinds: str = "") -> set[str]:
    files = [str(library) for library in libraries]
    listed = subprocess.run(["nm", "-D", which, *files], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines() if not line.endswith(":"))
    return {row[-1] for row in rows if len(row) > 1 and (not kinds or row[-2] in kinds)}


if __name__ == "__main__":
    if found := installed_torch():
        print(*sorted(needed(found)), sep="\n")
