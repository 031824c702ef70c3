"""Put prepared assets under the ids that examples ask for, and say what they are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from standins.assets import Asset, pinned
from standins.hub.content import Blob, Kind, Repository, Revision
from standins.provision import StandIn

CATALOGUE = Path(__file__).with_name("catalogue.toml")
OUR_OWN = "this repository"


@dataclass(frozen=True)
class Entry:
    """One repository of the catalogue."""

    kind: str
    id: str
    assets: list[str]
    zh: str
    en: str
    packages: list[str]
    modelscope: str = ""
    gated: bool = False

    def repository(self, assets: Mapping[str, Asset]) -> Repository:
        repository = Repository(Kind(self.kind), self.id, gated=self.gated)
        revision = Revision.of(dict(blobs(assets[name] for name in self.assets)))
        repository.commit(revision)
        return repository

    def standin(self) -> StandIn:
        packages = [pinned()[name] for name in self.packages]
        return StandIn(
            name=self.id,
            zh=self.zh,
            en=self.en,
            source=", ".join(package.requirement for package in packages) or OUR_OWN,
            licence="; ".join(dict.fromkeys(package.licence for package in packages)) or OUR_OWN,
        )


def entries() -> list[Entry]:
    """The whole catalogue."""
    tables = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["repository"]
    return [Entry(**table) for table in tables]


def blobs(assets: Iterable[Asset]) -> Iterable[tuple[str, Blob]]:
    """The files of several assets, by path, with the hashes recorded when they were made."""
    for asset in assets:
        for record in asset.manifest.records:
            location = asset.files / record.path
            yield record.path, Blob(location, record.size, record.sha256, record.git_oid)
