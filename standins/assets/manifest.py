"""What an asset consists of: a record per file, so that damage is noticed and hashes need not be computed again."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

MANIFEST = "manifest.json"
FILES = "files"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileRecord:
    """One file of an asset."""

    path: str
    """Relative to the asset's ``files`` folder, with forward slashes."""
    size: int
    """In bytes."""
    mtime_ns: int
    sha256: str
    git_oid: str
    """The sha1 that git gives the content as a blob: the ETag of small files on a hub."""

    def untouched(self, files: Path) -> bool:
        """Size and time of change are those recorded: cheap, and enough when nothing happened; and it can be read."""
        file = files / self.path
        try:
            status = file.stat()
        except OSError:
            return False
        return (status.st_size, status.st_mtime_ns) == (self.size, self.mtime_ns) and os.access(file, os.R_OK)


@dataclass(frozen=True)
class Manifest:
    """All files of one asset, and the recipe they were made by."""

    recipe: str
    """Fingerprint of the code and the pins that made it."""
    records: tuple[FileRecord, ...]

    @property
    def digest(self) -> str:
        """Changes when any file is another one, and only then."""
        lines = (f"{record.path} {record.sha256}" for record in self.records)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def record(path: Path, files: Path) -> FileRecord:
    """Read the file once, in pieces, for both hashes."""
    status = path.stat()
    sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % status.st_size, usedforsecurity=False)
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            sha256.update(piece)
            blob.update(piece)
    return FileRecord(
        path=path.relative_to(files).as_posix(),
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        sha256=sha256.hexdigest(),
        git_oid=blob.hexdigest(),
    )


def survey(files: Path, recipe: str) -> Manifest:
    """A manifest of everything below the folder."""
    paths = sorted(path for path in files.rglob("*") if path.is_file())
    return Manifest(recipe, tuple(record(path, files) for path in paths))


def write(manifest: Manifest, folder: Path) -> None:
    """Put the manifest beside the files, whole or not at all."""
    unfinished = folder / f"{MANIFEST}.{os.getpid()}"
    unfinished.write_text(json.dumps(asdict(manifest), indent=1), encoding="utf-8")
    unfinished.replace(folder / MANIFEST)


def read(folder: Path) -> Manifest | None:
    """The manifest in the folder, or None when there is none that can be understood."""
    try:
        raw = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return Manifest(raw["recipe"], tuple(FileRecord(**fields) for fields in raw["records"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def sound(folder: Path, recipe: str, *, thorough: bool = False) -> Manifest | None:
    """The manifest, if every file is still what it says; None when the asset has to be made again.

    Files whose size and time are as recorded are believed, unless ``thorough``; others are hashed.
    """
    manifest = read(folder)
    if manifest is None or manifest.recipe != recipe:
        return None
    files = folder / FILES
    doubtful = [entry for entry in manifest.records if thorough or not entry.untouched(files)]
    if not doubtful:
        return manifest
    fresh = {entry.path: _unchanged(entry, files) for entry in doubtful}
    if None in fresh.values():
        return None
    manifest = replace(manifest, records=tuple(_merged(manifest.records, fresh)))
    write(manifest, folder)
    return manifest


def _unchanged(entry: FileRecord, files: Path) -> FileRecord | None:
    try:
        now = record(files / entry.path, files)
    except OSError:
        return None
    return now if now.sha256 == entry.sha256 else None


def _merged(records: Iterable[FileRecord], fresh: dict[str, FileRecord | None]) -> Iterable[FileRecord]:
    for entry in records:
        yield fresh.get(entry.path) or entry
