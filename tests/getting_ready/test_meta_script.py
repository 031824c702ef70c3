"""The script for Meta's signed URL: what the page promises of it when all goes well, and when it does not."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from standins.hub.faults import Fault
from standins.hub.meta import signed_url
from tests.getting_ready.conftest import FILES, WEIGHTS, Meta, Run

SCRIPT = "model_meta.py"
ORIGINAL = Path("Meta-Llama-3-8B-Instruct/original")


def files(folder: Path) -> dict[str, bytes]:
    """What lies in original/, by name."""
    return {path.name: path.read_bytes() for path in (folder / ORIGINAL).iterdir()}


def test_every_file_of_the_list_is_fetched_and_checked(meta: Meta, run: Run, tmp_path: Path) -> None:
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert done.returncode == 0, done.stderr
    found = files(tmp_path)
    assert {name: found[name] for name in FILES} == FILES
    assert found.keys() == {*FILES, "checklist.chk"}
    for name in FILES:
        assert f"{name}: md5 " in done.stdout


def test_a_second_run_fetches_nothing_again(meta: Meta, run: Run) -> None:
    run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert done.returncode == 0, done.stderr
    assert meta.sent == len(FILES[WEIGHTS])


def test_an_interrupted_download_transfers_only_the_rest(meta: Meta, run: Run, tmp_path: Path) -> None:
    meta.hub.faults.add(Fault(WEIGHTS, cut_after=2_000_000))
    broken = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert broken.returncode == 1
    assert "Run this again" in broken.stderr
    assert WEIGHTS not in files(tmp_path)  # nothing half-written under a name that could be loaded
    kept = len(files(tmp_path)[f"{WEIGHTS}.part"])
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert done.returncode == 0, done.stderr
    assert f"going on after {kept:,} bytes" in done.stdout
    assert files(tmp_path)[WEIGHTS] == FILES[WEIGHTS]
    assert meta.hub.traffic.of(WEIGHTS)[-1].sent == len(FILES[WEIGHTS]) - kept


def test_a_flipped_bit_is_noticed_and_the_file_not_kept(meta: Meta, run: Run, tmp_path: Path) -> None:
    meta.hub.faults.add(Fault(WEIGHTS, flip_at=1_234_567))
    broken = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert broken.returncode == 1
    assert f"{WEIGHTS}: damaged" in broken.stderr
    assert not [name for name in files(tmp_path) if name.startswith(WEIGHTS)]
    assert run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url).returncode == 0
    assert files(tmp_path)[WEIGHTS] == FILES[WEIGHTS]


def test_a_full_disk_is_named_and_what_was_there_stays(meta: Meta, run: Run, tmp_path: Path) -> None:
    (tmp_path / ORIGINAL).mkdir(parents=True)
    (tmp_path / ORIGINAL / f"{WEIGHTS}.part").symlink_to("/dev/full")
    (tmp_path / ORIGINAL / "params.json").write_bytes(FILES["params.json"])
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert done.returncode == 1
    assert "No space left on device. Make room" in done.stderr
    assert (tmp_path / ORIGINAL / "params.json").read_bytes() == FILES["params.json"]
    assert not (tmp_path / ORIGINAL / WEIGHTS).exists()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda url: "https://www.llama.com/llama-downloads", "not the whole URL"),
        (lambda url: url.partition("&")[0], "not the whole URL"),
        (lambda url: url.replace("*", "file"), "not the whole URL"),
        (lambda url: url.replace("Policy=", "Policy=!!"), "Policy is damaged"),
        (lambda url: url.replace("Policy=eyJ", "Policy=AAAA"), "Policy is damaged"),
        (lambda url: signed_url(url.partition("/llamameta")[0], expires=time.time() - 60), "has expired"),
    ],
)
def test_a_bad_url_is_refused_before_anything_is_asked(meta: Meta, run: Run, spoil: object, says: str) -> None:
    assert callable(spoil)
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=spoil(meta.url))
    assert done.returncode == 1
    assert says in done.stderr
    assert not meta.hub.traffic.exchanges
    assert "Traceback" not in done.stderr


def test_a_url_that_the_server_refuses(meta: Meta, run: Run) -> None:
    meta.hub.faults.add(Fault(WEIGHTS, status=403))
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=meta.url)
    assert done.returncode == 1
    assert "Meta answers 403" in done.stderr


def test_no_server_at_all(run: Run) -> None:
    done = run(SCRIPT, LLAMA_PRESIGNED_URL=signed_url("http://127.0.0.1:9"))
    assert done.returncode == 1
    assert "ConnectionError" in done.stderr and "Traceback" not in done.stderr


def test_the_url_is_asked_for_without_echo() -> None:
    source = (Path(__file__).parents[2] / "examples" / SCRIPT).read_text(encoding="utf-8")
    assert "getpass(" in source and "input(" not in source
