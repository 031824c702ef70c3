"""Meta's signed URL: its wildcard, its end, its number of downloads, resuming."""

from __future__ import annotations

import time

import pytest
import requests

from standins.hub.faults import Fault
from standins.hub.meta import DOWNLOADS, FOLDER, SIGNATURE, signed_url
from tests.hub.conftest import WEIGHTS, Served

FILE = f"{FOLDER}/model.safetensors"


def get(url: str, path: str = FILE, **options: object) -> requests.Response:
    return requests.get(url.replace("*", path), timeout=30, **options)  # type: ignore[arg-type]


def test_the_wildcard_leads_to_every_file(served: Served) -> None:
    url = signed_url(served.address)
    assert get(url).content == WEIGHTS
    assert get(url, f"{FOLDER}/config.json").json() == {"model_type": "llama"}


def test_an_interrupted_download_goes_on(served: Served) -> None:
    url = signed_url(served.address)
    served.hub.faults.add(Fault(FILE, cut_after=1_000_000))
    with get(url, stream=True) as answer, pytest.raises(requests.exceptions.ChunkedEncodingError):
        answer.content  # noqa: B018
    rest = get(url, headers={"Range": "bytes=1000000-"})
    assert (rest.status_code, rest.content) == (206, WEIGHTS[1_000_000:])


def test_an_expired_url_is_refused(served: Served) -> None:
    answer = get(signed_url(served.address, expires=time.time() - 1))
    assert answer.status_code == 403
    assert "Request has expired" in answer.text


@pytest.mark.parametrize(
    "spoil",
    [
        lambda url: url.split("?")[0],
        lambda url: url.replace(SIGNATURE, "x"),
        lambda url: url.replace("Policy=", "Policy=x"),
        lambda url: url.replace("*", "other/*"),
    ],
)
def test_a_spoiled_url_is_refused(served: Served, spoil: object) -> None:
    assert callable(spoil)
    assert get(spoil(signed_url(served.address))).status_code == 403


def test_a_url_is_used_up_by_downloads_but_not_by_resuming(served: Served) -> None:
    url = signed_url(served.address)
    for _ in range(DOWNLOADS):
        assert get(url).status_code == 200
    assert get(url, headers={"Range": "bytes=10-"}).status_code == 206
    assert get(url).status_code == 403
    assert get(url, f"{FOLDER}/config.json").status_code == 200
