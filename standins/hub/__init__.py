"""Model hubs on loopback: the addresses that examples download from, without the internet.

:func:`provide` starts one server that speaks Hugging Face's, ModelScope's and Meta's protocols under the real ids,
and gives the environment variables by which the real clients find it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standins.assets import ensure
from standins.hub.access import WITH_ACCESS
from standins.hub.catalogue import entries, hub_of
from standins.hub.meta import signed_url
from standins.hub.server import serving
from standins.provision import Provision

__all__ = ["provide"]


@contextmanager
def provide(home: Path, scratch: Path) -> Iterator[Provision]:
    """Prepare what is missing in ``home``, then serve it while the block runs; caches start empty in ``scratch``."""
    assets = ensure(home)
    digests = "\n".join(f"{name} {asset.manifest.digest}" for name, asset in sorted(assets.items()))
    with serving(hub_of(assets, scratch / "uploads")) as address:
        yield Provision(
            environment=environment(address, scratch),
            standins=tuple(entry.standin() for entry in entries()),
            content=hashlib.sha256(digests.encode()).hexdigest(),
            fresh=("HF_HOME", "MODELSCOPE_CACHE"),
        )


def environment(address: str, scratch: Path) -> dict[str, str]:
    """What leads the real clients to the server, and keeps them away from the user's own caches and tokens."""
    return {
        "HF_ENDPOINT": address,
        "HF_HOME": str(scratch / "huggingface"),
        "HF_TOKEN": WITH_ACCESS,
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "HF_HUB_DISABLE_UPDATE_CHECK": "1",  # it would ask the package registry in the middle of a command
        "HF_HUB_DISABLE_XET": "1",  # the server stores files whole
        "LLAMA_PRESIGNED_URL": signed_url(address),
        "MODELSCOPE_ENDPOINT": address,
        "MODELSCOPE_CACHE": str(scratch / "modelscope"),
    }
