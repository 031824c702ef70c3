"""The command lines of both hubs against the stand-in, with what they print."""

from __future__ import annotations

import hashlib
from pathlib import Path

from standins.hub.access import WITH_ACCESS, WITHOUT_ACCESS
from standins.hub.faults import Fault
from tests.hub.conftest import GATED, OPEN, WEIGHTS, Served, Shell


def test_hf_downloads_what_a_pattern_includes(shell: Shell, tmp_path: Path) -> None:
    done = shell("hf", "download", OPEN, "--include", "sub/*", "--local-dir", "here", HF_TOKEN="")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here/sub/notes.txt").read_text() == "notes"
    assert not (tmp_path / "here/model.safetensors").exists()


def test_hf_says_why_a_gated_repository_is_closed(shell: Shell) -> None:
    anonymous = shell("hf", "download", GATED, HF_TOKEN="")
    assert anonymous.returncode != 0
    assert "requires approval" in anonymous.stderr
    newcomer = shell("hf", "download", GATED, HF_TOKEN=WITHOUT_ACCESS)
    assert newcomer.returncode != 0
    assert "requires approval" in newcomer.stderr
    assert shell("hf", "download", GATED, HF_TOKEN=WITH_ACCESS).returncode == 0


def test_hf_logs_in_with_a_token(shell: Shell) -> None:
    assert shell("hf", "auth", "login", "--token", WITH_ACCESS, HF_TOKEN="").returncode == 0
    assert "standin-reader" in shell("hf", "auth", "whoami", HF_TOKEN="").stdout


def test_hf_cache_verify_finds_a_flipped_bit(served: Served, shell: Shell) -> None:
    assert shell("hf", "download", OPEN).returncode == 0
    assert shell("hf", "cache", "verify", OPEN).returncode == 0
    for path in (served.hub.uploads.parent / "huggingface").rglob("*"):
        if path.is_file() and path.read_bytes() == WEIGHTS:
            path.write_bytes(bytes([WEIGHTS[0] ^ 1]) + WEIGHTS[1:])
    verified = shell("hf", "cache", "verify", OPEN)
    assert verified.returncode != 0
    assert "model.safetensors" in verified.stdout + verified.stderr


def test_hf_uploads_a_folder(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "tuned").mkdir()
    (tmp_path / "tuned/adapter.safetensors").write_bytes(b"adapter")
    done = shell("hf", "upload", "standin-reader/tuned", "tuned", HF_TOKEN=WITH_ACCESS)
    assert done.returncode == 0, done.stderr
    back = shell("hf", "download", "standin-reader/tuned", "--local-dir", "back", HF_TOKEN=WITH_ACCESS)
    assert back.returncode == 0, back.stderr
    assert (tmp_path / "back/adapter.safetensors").read_bytes() == b"adapter"


def test_modelscope_downloads_under_its_own_name(shell: Shell, tmp_path: Path) -> None:
    done = shell("modelscope", "download", "--model", "Org-CN/open", "--local_dir", "here")
    assert done.returncode == 0, done.stderr
    assert (
        hashlib.sha256((tmp_path / "here/model.safetensors").read_bytes()).digest() == hashlib.sha256(WEIGHTS).digest()
    )


def test_modelscope_takes_a_file_again_whose_content_is_wrong(served: Served, shell: Shell, tmp_path: Path) -> None:
    served.hub.faults.add(Fault("/repo", query="model.safetensors", flip_at=1_000_000))
    done = shell("modelscope", "download", "--model", "Org-CN/open", "model.safetensors", "--local_dir", "here")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "here/model.safetensors").read_bytes() == WEIGHTS
    assert len(served.hub.traffic.of("/repo")) > 1
