"""Put prepared assets under the ids that examples ask for, and say what they are."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from standins.assets import Asset, pinned
from standins.hub import meta
from standins.hub.content import Blob, Kind, Repository, Revision
from standins.hub.state import Hub
from standins.provision import StandIn

CATALOGUE = Path(__file__).with_name("catalogue.toml")
ORIGINAL_ASSETS = ("llama-3-tokenizer", "small-llama")  # both have part of what Meta distributes
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
    commit: str = ""
    """The newest commit of the real repository, so that a revision an example pins is found here too."""
    task: str = ""
    gated: bool = False
    closed: bool = False
    """Gated, and nobody is let in."""
    also: list[str] = field(default_factory=list)
    """Further names that lead to it, as the variable with Meta's signed URL does."""
    hidden: list[str] = field(default_factory=list)
    """Files of the assets that are served elsewhere."""

    def repository(self, assets: Mapping[str, Asset]) -> Repository:
        repository = Repository(Kind(self.kind), self.id, gated=self.gated, closed=self.closed, task=self.task)
        files = dict(blobs(assets[name] for name in self.assets))
        revision = Revision.of({path: blob for path, blob in files.items() if path not in self.hidden})
        repository.commit(replace(revision, commit=self.commit or revision.commit))
        return repository

    def standins(self) -> Iterator[StandIn]:
        """One for each name by which examples ask for it."""
        packages = [pinned()[name] for name in self.packages]
        for name in dict.fromkeys((self.id, self.modelscope, *self.also)):
            if name:
                yield StandIn(
                    name=name,
                    zh=self.zh,
                    en=self.en,
                    source=", ".join(package.requirement for package in packages) or OUR_OWN,
                    licence="; ".join(dict.fromkeys(package.licence for package in packages)) or OUR_OWN,
                )


def entries() -> list[Entry]:
    """The whole catalogue."""
    tables = tomllib.loads(CATALOGUE.read_text(encoding="utf-8"))["repository"]
    return [Entry(**table) for table in tables]


def hub_of(assets: Mapping[str, Asset], uploads: Path) -> Hub:
    """A hub that holds the whole catalogue."""
    catalogue = entries()
    repositories = [entry.repository(assets) for entry in catalogue]
    original = blobs(assets[name] for name in ORIGINAL_ASSETS)
    prefix = "original/"
    return Hub(
        repositories={(repository.kind, repository.id): repository for repository in repositories},
        uploads=uploads,
        modelscope_names={entry.modelscope: entry.id for entry in catalogue if entry.modelscope},
        signed_files={
            f"{meta.FOLDER}/{path.removeprefix(prefix)}": blob for path, blob in original if path.startswith(prefix)
        },
    )


def blobs(assets: Iterable[Asset]) -> Iterable[tuple[str, Blob]]:
    """The files of several assets, by path, with the hashes recorded when they were made."""
    for asset in assets:
        for record in asset.manifest.records:
            location = asset.files / record.path
            yield record.path, Blob(location, record.size, record.sha256, record.git_oid)
