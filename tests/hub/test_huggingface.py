"""huggingface_hub against the stand-in: what it downloads, what it is refused, how it gets over trouble."""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from standins.hub.access import WITH_ACCESS, WITHOUT_ACCESS
from standins.hub.content import Kind, Repository
from standins.hub.faults import Fault
from tests.hub.conftest import GATED, OLD_WEIGHTS, OPEN, PIECE, WEIGHTS, Served

SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


def weights(served: Served, folder: Path, name: str = OPEN, **options: Any) -> Path:
    """Download the weights by the real client into a cache of this test."""
    options = {"token": False, "cache_dir": folder / "cache", "endpoint": served.address} | options
    return Path(hf_hub_download(name, "model.safetensors", **options))


def test_a_snapshot_holds_every_file_unchanged(served: Served, tmp_path: Path) -> None:
    folder = snapshot_download(OPEN, endpoint=served.address, cache_dir=tmp_path / "cache", token=False)
    found = {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}
    assert found == {"config.json", "sub/notes.txt", "model.safetensors"}
    assert (Path(folder) / "model.safetensors").read_bytes() == WEIGHTS


def test_a_second_download_transfers_nothing(served: Served, tmp_path: Path) -> None:
    weights(served, tmp_path)
    weights(served, tmp_path)
    assert served.hub.traffic.sent("model.safetensors") == len(WEIGHTS)


@pytest.mark.parametrize("by", ["tag", "commit"])
def test_an_older_revision_by_tag_and_by_commit(served: Served, tmp_path: Path, by: str) -> None:
    old = served.hub.repositories[Kind.MODEL, OPEN].tags["v1"]
    path = weights(served, tmp_path, revision="v1" if by == "tag" else old.commit)
    assert path.read_bytes() == OLD_WEIGHTS
    assert path.parent.name == old.commit


def test_what_does_not_exist_is_told_apart(served: Served, tmp_path: Path) -> None:
    with pytest.raises(RevisionNotFoundError):
        weights(served, tmp_path, revision="v9")
    with pytest.raises(RepositoryNotFoundError):
        weights(served, tmp_path, "org/none", token=WITH_ACCESS)
    with pytest.raises(RemoteEntryNotFoundError):
        hf_hub_download(OPEN, "none.txt", endpoint=served.address, cache_dir=tmp_path, token=False)


def test_a_data_set_is_found_by_its_name_of_before_namespaces(served: Served, tmp_path: Path) -> None:
    """As old scripts and pages call it: the hub redirects, and only what it knows."""
    data_set = Repository(Kind.DATASET, "Org/reviews")
    latest = served.hub.repositories[Kind.MODEL, OPEN].find("main")
    assert latest
    data_set.commit(latest)
    served.hub.repositories[Kind.DATASET, "Org/reviews"] = data_set
    options: Any = {"repo_type": "dataset", "endpoint": served.address, "cache_dir": tmp_path, "token": False}
    assert Path(hf_hub_download("reviews", "sub/notes.txt", **options)).read_bytes() == b"notes"
    with pytest.raises(RepositoryNotFoundError):
        hf_hub_download("ratings", "sub/notes.txt", **options)


@pytest.mark.parametrize(("token", "status"), [(False, 401), (WITHOUT_ACCESS, 403)])
def test_a_gated_repository_refuses_who_was_not_let_in(
    served: Served, tmp_path: Path, token: str | bool, status: int
) -> None:
    with pytest.raises(GatedRepoError) as refused:
        weights(served, tmp_path, GATED, token=token)
    assert refused.value.response.status_code == status
    assert not list(tmp_path.glob("cache/**/*.safetensors"))


def test_a_gated_repository_opens_to_who_was_let_in(served: Served, tmp_path: Path) -> None:
    assert weights(served, tmp_path, GATED, token=WITH_ACCESS).read_bytes() == WEIGHTS


def test_a_token_that_nobody_has_is_refused(served: Served, tmp_path: Path) -> None:
    with pytest.raises(HfHubHTTPError, match="Invalid credentials"):
        weights(served, tmp_path, token="standin-token-mistyped")


def test_who_am_i(served: Served) -> None:
    who = HfApi(endpoint=served.address).whoami(token=WITHOUT_ACCESS)
    assert who["name"] == "standin-newcomer"


def test_an_interrupted_download_transfers_only_the_rest(served: Served, tmp_path: Path) -> None:
    served.hub.faults.add(Fault("model.safetensors", cut_after=PIECE + 5))
    assert weights(served, tmp_path).read_bytes() == WEIGHTS
    first, second = served.hub.traffic.of("model.safetensors")
    assert (first.sent, second.range) == (PIECE + 5, f"bytes={PIECE}-")
    assert second.sent == len(WEIGHTS) - PIECE


def test_a_download_given_up_leaves_nothing_that_could_be_taken_for_the_file(served: Served, tmp_path: Path) -> None:
    """huggingface_hub 2.4 resumes within a call; after the last try it removes the part, and a new call begins anew."""
    get = partial(weights, served, tmp_path)
    served.hub.faults.add(Fault("model.safetensors", cut_after=PIECE + 5))
    served.hub.faults.add(Fault("model.safetensors", times=100, cut_after=5))
    with pytest.raises(Exception):  # noqa: B017  whichever the client's own is
        get()
    assert not [path for path in tmp_path.glob("cache/**/blobs/*") if path.is_file()]
    with pytest.raises(LocalEntryNotFoundError):
        get(local_files_only=True)
    served.hub.faults.clear()
    assert get().read_bytes() == WEIGHTS


def test_a_hub_that_asks_for_patience_is_asked_again(served: Served, tmp_path: Path) -> None:
    served.hub.faults.add(Fault("model.safetensors", status=429, headers={"Retry-After": "1"}))
    assert weights(served, tmp_path).read_bytes() == WEIGHTS
    assert [one.status for one in served.hub.traffic.of("model.safetensors")] == [429, 200]


def test_a_hub_out_of_order_is_asked_again_for_its_list_but_not_for_a_file(served: Served, tmp_path: Path) -> None:
    """As huggingface_hub 2.4 has it: a reader sees the 503 of a file, and runs the command again."""
    api = HfApi(endpoint=served.address, token=False)
    served.hub.faults.add(Fault("/tree/", status=503))
    assert len(list(api.list_repo_tree(OPEN))) == 3
    served.hub.faults.add(Fault("model.safetensors", status=503))
    with pytest.raises(HfHubHTTPError, match="503"):
        weights(served, tmp_path)
    assert weights(served, tmp_path).read_bytes() == WEIGHTS


def test_a_flipped_bit_shows_in_the_checksum_only(served: Served, tmp_path: Path) -> None:
    served.hub.faults.add(Fault("model.safetensors", flip_at=3_000_000))
    path = weights(served, tmp_path)
    assert path.stat().st_size == len(WEIGHTS)
    assert hashlib.sha256(path.read_bytes()).hexdigest() != SHA256
    (expected,) = HfApi(endpoint=served.address).get_paths_info(OPEN, "model.safetensors", token=False)
    assert expected.lfs.sha256 == SHA256


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")  # huggingface_hub's own
def test_what_is_pushed_can_be_downloaded(served: Served, tmp_path: Path) -> None:
    api = HfApi(endpoint=served.address, token=WITH_ACCESS)
    name = api.create_repo("tuned", private=True).repo_id
    (tmp_path / "up").mkdir()
    (tmp_path / "up/model.safetensors").write_bytes(WEIGHTS)
    (tmp_path / "up/config.json").write_text("{}")
    commit = api.upload_folder(repo_id=name, folder_path=tmp_path / "up", commit_message="tuned")
    assert weights(served, tmp_path, name, token=WITH_ACCESS).read_bytes() == WEIGHTS
    assert api.model_info(name).sha == commit.oid
    with pytest.raises(RepositoryNotFoundError):  # private: as good as not there
        weights(served, tmp_path / "another", name, token=WITHOUT_ACCESS)
    api.delete_file("config.json", name)
    assert api.list_repo_files(name) == ["model.safetensors"]


def test_nobody_writes_to_what_is_not_theirs(served: Served) -> None:
    api = HfApi(endpoint=served.address, token=WITH_ACCESS)
    with pytest.raises(HfHubHTTPError, match="403"):
        api.upload_file(path_or_fileobj=b"x", path_in_repo="x", repo_id=OPEN)
