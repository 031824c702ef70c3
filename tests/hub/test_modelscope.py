"""modelscope against the stand-in."""

from __future__ import annotations

import textwrap

from standins.hub.faults import Fault
from tests.hub.conftest import WEIGHTS, Served, Shell

DOWNLOAD = textwrap.dedent("""
    from modelscope import snapshot_download
    print(snapshot_download("Org-CN/open", cache_dir="cache", revision="master"))
""")


def test_a_snapshot_in_a_folder_of_the_readers_choice(served: Served, shell: Shell) -> None:
    done = shell("python", "-c", DOWNLOAD)
    assert done.returncode == 0, done.stderr
    folder = served.hub.uploads.parent / done.stdout.strip().splitlines()[-1]
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS
    assert (folder / "sub/notes.txt").read_text() == "notes"


def test_an_interrupted_download_transfers_only_the_rest(served: Served, shell: Shell) -> None:
    served.hub.faults.add(Fault("/repo", query="model.safetensors", cut_after=2_000_000))
    done = shell("python", "-c", DOWNLOAD)
    assert done.returncode == 0, done.stderr
    weights = [one for one in served.hub.traffic.of("/repo") if "model.safetensors" in one.query]
    assert sum(one.sent for one in weights) == len(WEIGHTS)
    assert weights[-1].range == "bytes=2000000-"


def test_an_unknown_model_and_an_unknown_revision(shell: Shell) -> None:
    for change in (("Org-CN/open", "Org-CN/none"), ('"master"', '"v9"')):
        done = shell("python", "-c", DOWNLOAD.replace(*change))
        assert done.returncode != 0
        assert "NotExistError" in done.stderr or "not exist" in done.stderr
