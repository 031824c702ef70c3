"""Meta's files behind a signed URL of the test's own, and examples as a reader has them: a file, an empty folder."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from standins.hub.content import Blob
from standins.hub.meta import FOLDER, signed_url
from standins.hub.server import serving
from standins.hub.state import Hub

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
WEIGHTS = "consolidated.00.pth"
FILES = {
    WEIGHTS: random.Random(0).randbytes(5_000_000),
    "params.json": b'{"dim": 128}\n',
    "tokenizer.model": b"a tokenizer",
}
SECRETS = ("Policy=", "Signature=", "Key-Pair-Id=", "hf_")

Run = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Meta:
    """A server of Meta's files, and the URL it would mail."""

    hub: Hub
    url: str

    @property
    def sent(self) -> int:
        """Bytes of the weights that went over the wire."""
        return self.hub.traffic.sent(WEIGHTS)


@pytest.fixture
def meta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Meta]:
    folder = tmp_path_factory.mktemp("meta")
    checklist = "".join(f"{hashlib.md5(content).hexdigest()}  {name}\n" for name, content in FILES.items())
    blobs = {}
    for name, content in {**FILES, "checklist.chk": checklist.encode()}.items():
        (folder / name).write_bytes(content)
        blobs[f"{FOLDER}/{name}"] = Blob(folder / name, len(content), hashlib.sha256(content).hexdigest(), name)
    hub = Hub({}, folder / "uploads", signed_files=blobs)
    with serving(hub) as address:
        yield Meta(hub, signed_url(address))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run an example in the test's folder, with changes to the environment; what it prints never holds a secret."""

    def call(name: str, **variables: str) -> subprocess.CompletedProcess[str]:
        shutil.copy(EXAMPLES / name, tmp_path)
        program = [sys.executable] if name.endswith(".py") else ["bash", "-e"]
        environment = {
            **os.environ,
            "HF_HOME": str(tmp_path / "huggingface"),
            "MODELSCOPE_CACHE": str(tmp_path / "modelscope"),
            **variables,
        }
        done = subprocess.run(
            [*program, name], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
        return done

    return call
