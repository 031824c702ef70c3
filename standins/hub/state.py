"""What the handlers of one running hub share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from standins.hub.access import Accounts
from standins.hub.content import Blob, Kind, Repository
from standins.hub.faults import Faults
from standins.hub.traffic import Traffic


@dataclass
class Hub:
    """Repositories, accounts, the folder uploads go to, what went over the wire and what shall go wrong."""

    repositories: dict[tuple[Kind, str], Repository]
    uploads: Path
    modelscope_names: dict[str, str] = field(default_factory=dict)
    """ModelScope's id of a model -> the id it has here, where they differ."""
    signed_files: dict[str, Blob] = field(default_factory=dict)
    """What Meta's signed URL leads to, by path."""
    accounts: Accounts = field(default_factory=Accounts)
    traffic: Traffic = field(default_factory=Traffic)
    faults: Faults = field(default_factory=Faults)

    def find(self, kind: Kind, name: str) -> Repository | None:
        return self.repositories.get((kind, name))


HUB = web.AppKey("hub", Hub)


def hub_of(request: web.Request) -> Hub:
    """The hub that answers the request."""
    return request.app[HUB]
