"""Which torch and torch_npu are installed, told without importing them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """An installed wheel: its version and the folder of its files."""

    version: str
    folder: Path


@dataclass(frozen=True)
class Torch:
    """The pair the virtual device is built for."""

    torch: Package
    torch_npu: Package

    @property
    def for_cuda(self) -> bool:
        """Whether this torch is a CUDA build, as PyPI's is; from 2.11 on torch_npu can not be imported beside some."""
        written = self.torch.folder / "version.py"
        return written.exists() and re.search(r"^cuda\b.*= *['\"]", written.read_text(), re.MULTILINE) is not None


def installed(name: str) -> Package | None:
    """The package of this name, or ``None``."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return Package(found.version, Path(str(found.locate_file(name))))


def installed_torch() -> Torch | None:
    """torch and torch_npu, or ``None`` where one of them is missing."""
    torch, torch_npu = installed("torch"), installed("torch_npu")
    return Torch(torch, torch_npu) if torch and torch_npu else None
