"""Which torch and torch_npu are installed, told without importing them."""

from __future__ import annotations

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
