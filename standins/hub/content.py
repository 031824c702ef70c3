"""What a hub holds: blobs, revisions of files, repositories."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path

LARGE_SUFFIXES = (".safetensors", ".parquet", ".pth", ".bin", ".pt", ".gguf", ".model", "tokenizer.json")
RELEASED = datetime(2024, 4, 18, tzinfo=UTC)  # when Llama 3 was; the date of every first revision


class Kind(StrEnum):
    """The three kinds of repository, as they are spelled in the addresses."""

    MODEL = "models"
    DATASET = "datasets"
    SPACE = "spaces"


@dataclass(frozen=True)
class Blob:
    """Content of one file, on disk, with the hashes that protocols give for it."""

    location: Path
    size: int
    """In bytes."""
    sha256: str
    git_oid: str
    """The sha1 of the content as a git blob."""


@dataclass(frozen=True)
class Revision:
    """All files of a repository at one moment."""

    commit: str
    """40 hexadecimal digits."""
    files: Mapping[str, Blob]
    title: str = "initial commit"
    date: datetime = RELEASED

    @classmethod
    def of(cls, files: Mapping[str, Blob], title: str = "initial commit", parent: str = "") -> Revision:
        """A revision whose commit id follows from what is in it."""
        lines = [parent, title, *(f"{path} {blob.sha256}" for path, blob in sorted(files.items()))]
        commit = hashlib.sha1("\n".join(lines).encode(), usedforsecurity=False).hexdigest()
        return cls(commit, dict(sorted(files.items())), title, datetime.now(UTC) if parent else RELEASED)

    def below(self, folder: str) -> dict[str, Blob]:
        """The files below a folder, by their whole path; all of them for the empty name."""
        prefix = f"{folder}/" if folder else ""
        return {path: blob for path, blob in self.files.items() if path.startswith(prefix)}


@dataclass
class Repository:
    """A repository with its history: the newest revision of each branch, tags, and every revision by commit."""

    kind: Kind
    id: str
    gated: bool = False
    closed: bool = False
    private: bool = False
    task: str = ""
    """What a model is for, as in ``text-generation``: `pipeline` reads it when it is given no task."""
    owner: str = ""
    """Who may write to it; nobody by default."""
    branches: dict[str, Revision] = field(default_factory=dict)
    tags: dict[str, Revision] = field(default_factory=dict)
    commits: dict[str, Revision] = field(default_factory=dict)

    def find(self, name: str) -> Revision | None:
        """The revision a branch, a tag or a commit id names."""
        return self.branches.get(name) or self.tags.get(name) or self.commits.get(name)

    def commit(self, revision: Revision, branch: str = "main") -> None:
        """Make the revision the newest one of a branch."""
        self.branches[branch] = revision
        self.commits[revision.commit] = revision


def is_large(path: str) -> bool:
    """Whether a hub keeps the file outside git (LFS), and so names it by its sha256."""
    return path.endswith(LARGE_SUFFIXES)


def folders(paths: Iterable[str]) -> list[str]:
    """All folders that the paths lie in, outer ones first."""
    found = {"/".join(parts[:depth]) for path in paths for parts in [path.split("/")] for depth in range(1, len(parts))}
    return sorted(found)
