"""A hub of small repositories in the test's own process, and the real clients to ask it."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from standins.hub.content import Blob, Kind, Repository, Revision
from standins.hub.server import serving
from standins.hub.state import Hub

PIECE = 10 << 20  # bytes: huggingface_hub writes to disk in pieces of this size, and resumes after the last one
WEIGHTS = random.Random(0).randbytes(2 * PIECE + 1_000_000)
OLD_WEIGHTS = b"older weights"
OPEN = "org/open"
GATED = "org/gated"
BIN = Path(sys.executable).parent

Shell = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Served:
    """A hub and where it listens."""

    hub: Hub
    address: str


def blob(folder: Path, content: bytes) -> Blob:
    oid = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    sha256 = hashlib.sha256(content).hexdigest()
    location = folder / sha256
    if not location.exists():
        location.write_bytes(content)
    return Blob(location, len(content), sha256, oid)


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the served files lie."""
    return tmp_path_factory.mktemp("content")


@pytest.fixture
def served(tmp_path: Path, content: Path) -> Iterator[Served]:
    folder = content
    config = blob(folder, b'{"model_type": "llama"}\n')
    old = Revision.of({"config.json": config, "model.safetensors": blob(folder, OLD_WEIGHTS)})
    files = {"config.json": config, "sub/notes.txt": blob(folder, b"notes"), "model.safetensors": blob(folder, WEIGHTS)}
    new = Revision.of(files, "better weights", parent=old.commit)
    repositories = {}
    for name in (OPEN, GATED):
        repository = Repository(Kind.MODEL, name, gated=name == GATED)
        repository.commit(old)
        repository.commit(new)
        repository.tags["v1"] = old
        repositories[Kind.MODEL, name] = repository
    signed = {f"8b_instruction_tuned/{path}": one for path, one in files.items()}
    hub = Hub(repositories, tmp_path / "uploads", modelscope_names={"Org-CN/open": OPEN}, signed_files=signed)
    with serving(hub) as address:
        yield Served(hub, address)


@pytest.fixture
def shell(served: Served, tmp_path: Path) -> Shell:
    """Run one of the environment's commands the way a reader would, against this hub."""

    def run(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ,
            "HF_ENDPOINT": served.address,
            "HF_HOME": str(tmp_path / "huggingface"),
            "MODELSCOPE_ENDPOINT": served.address,
            "MODELSCOPE_CACHE": str(tmp_path / "modelscope"),
            "HF_HUB_DISABLE_UPDATE_CHECK": "1",
            "HF_HUB_DISABLE_XET": "1",
            "NO_COLOR": "1",
            **variables,
        }
        if not environment.get("HF_TOKEN"):
            environment.pop("HF_TOKEN", None)
        program = BIN / command[0]
        return subprocess.run(
            [str(program), *command[1:]], env=environment, cwd=tmp_path, capture_output=True, text=True, check=False
        )

    return run
