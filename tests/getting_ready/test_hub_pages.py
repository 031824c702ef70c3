"""What the pages on Hugging Face and ModelScope say that a reader will see."""

from __future__ import annotations

from pathlib import Path

from standins.hub.access import WITHOUT_ACCESS
from tests.getting_ready.conftest import Run


def test_the_errors_are_told_apart(run: Run) -> None:
    done = run("model_hf_errors.py")
    assert done.returncode == 0, done.stderr
    kinds = [line.split(".")[0] for line in done.stdout.splitlines() if "Error: " in line]
    assert kinds == [
        "GatedRepoError: 401 Client Error",
        kinds[1],
        "GatedRepoError: 403 Client Error",
        "RepositoryNotFoundError: 404 Client Error",
        "RepositoryNotFoundError: 401 Client Error",
        "RevisionNotFoundError: 404 Client Error",
        "RemoteEntryNotFoundError: 404 Client Error",
    ]
    assert "401 Unauthorized" in kinds[1]


def test_an_account_without_access_is_told_403(run: Run) -> None:
    done = run("model_hf_errors.py", HF_TOKEN=WITHOUT_ACCESS)
    assert "GatedRepoError: 403 Client Error" in done.stdout
    assert "you are not in the authorized list" in done.stdout


def test_the_command_line_leaves_out_and_takes_in_what_it_was_told(run: Run, tmp_path: Path) -> None:
    done = run("model_hf_cli.sh")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "Meta-Llama-3-8B-Instruct"
    assert {path.name for path in (folder / "original").iterdir()} == {"params.json", "tokenizer.model"}
    assert (folder / "model.safetensors").exists()
    assert "All checksums match" in done.stdout
    assert "Checksum verification failed" in done.stdout + done.stderr  # of the byte that the script spoils


def test_offline_the_cache_is_enough_and_nothing_else_is(run: Run) -> None:
    done = run("model_huggingface.py")
    assert done.returncode == 0, done.stderr
    assert "128256 tokens without the network" in done.stdout
    assert "LocalEntryNotFoundError" in done.stdout
    assert "ValueError: Unrecognized model in original" in done.stdout


def test_modelscope_gives_a_folder_for_transformers(run: Run) -> None:
    done = run("model_modelscope.py")
    assert done.returncode == 0, done.stderr
    assert "without the network, the same folder: True" in done.stdout
    assert "LLM-Research/Meta-Llama-3-9B-Instruct not exists" in done.stdout
