"""Model hubs on loopback: the addresses that examples download from, without the internet.

:func:`provide` starts one server that speaks Hugging Face's, ModelScope's and Meta's protocols under the real ids,
and gives the environment variables by which the real clients find it.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from standins.assets import ensure
from standins.hub.catalogue import entries, hub_of
from standins.hub.environment import NOT_THE_USERS, environment
from standins.hub.rehearsed import put_long_reviews, put_true_shapes, standins_for
from standins.hub.server import serving
from standins.provision import Provision
from standins.rehearsal import settings as rehearsal

__all__ = ["provide"]


@contextmanager
def provide(home: Path, scratch: Path) -> Iterator[Provision]:
    """Prepare what is missing in ``home``, then serve it while the block runs; caches start empty in ``scratch``."""
    assets = ensure(home)
    digests = "\n".join(f"{name} {asset.manifest.digest}" for name, asset in sorted(assets.items()))
    hub = hub_of(assets, scratch / "uploads")
    rehearsed = {model.id: model for model in rehearsal.models(os.environ)}
    put_true_shapes(hub, rehearsed.values(), assets["llama-3-tokenizer"], scratch / "rehearsed")
    if rehearsed:
        put_long_reviews(hub, scratch / "long-reviews")
    served = (standin for entry in entries() if entry.id not in rehearsed for standin in entry.standins())
    with serving(hub) as address:
        variables, caches = environment(address, scratch, os.environ)
        yield Provision(
            environment=variables | rehearsal.environment(os.environ, scratch),
            standins=(*served, *standins_for(rehearsed.values())),
            content=hashlib.sha256(digests.encode()).hexdigest(),
            fresh=caches,
            without=NOT_THE_USERS,
            before={"PYTHONPATH": str(rehearsal.START_UP)} if rehearsed else {},
        )
