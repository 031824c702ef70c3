"""Where prepared assets lie: ``<home>/assets/<name>/{files/,manifest.json}``, each whole and checked, or absent."""

from __future__ import annotations

import errno
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from standins.assets import manifest, packages
from standins.assets.errors import PreparationError
from standins.assets.manifest import FILES, Manifest
from standins.assets.recipes import RECIPES, Bench, Recipe
from standins.sharing import make_readable

ROOM_NEEDED = 1_200_000_000  # bytes free while everything is made; less than half of it stays


@dataclass(frozen=True)
class Asset:
    """A prepared asset."""

    name: str
    files: Path
    manifest: Manifest


@dataclass(frozen=True)
class Store:
    """The folder of all assets."""

    root: Path

    def folder(self, name: str) -> Path:
        return self.root / name

    def asset(self, name: str, *, thorough: bool = False) -> Asset | None:
        """The asset if it is there, complete, and made by the recipe as it is now."""
        folder = self.folder(name)
        found = manifest.sound(folder, RECIPES[name].fingerprint(), thorough=thorough)
        return Asset(name, folder / FILES, found) if found else None

    def prepared(self, *, thorough: bool = False) -> dict[str, Asset]:
        """All assets that need no work, by name."""
        assets = (self.asset(name, thorough=thorough) for name in RECIPES)
        return {asset.name: asset for asset in assets if asset}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time makes assets; a second one waits, saying so."""
        self.root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.root / ".lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            say(f"another process is preparing {self.root}: waiting for it")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def say(message: str) -> None:
    """A progress line; on stderr, because stdout belongs to the command that waits for the assets."""
    print(f"[standins] {message}", file=sys.stderr, flush=True)


def ensure(home: Path) -> Mapping[str, Asset]:
    """All assets by name, made first where they are missing or damaged.

    They are made in a process of their own: torch is imported there, and its memory given back afterwards.
    Raises :class:`PreparationError`.
    """
    store = Store(home / "assets")
    assets = store.prepared()
    if assets.keys() == RECIPES.keys():
        return assets
    if subprocess.run([sys.executable, "-m", "standins.assets", str(home)], check=False).returncode != 0:
        raise PreparationError(f"The stand-in assets in {store.root} could not be prepared; the reason is above.")
    assets = store.prepared()
    if missing := RECIPES.keys() - assets.keys():
        raise PreparationError(f"Prepared, yet damaged again: {', '.join(sorted(missing))} in {store.root}")
    return assets


def prepare(home: Path, *, thorough: bool = False) -> None:
    """Make every asset that is missing or damaged.  Raises :class:`PreparationError`."""
    store = Store(home / "assets")
    with explained(store.root), store.locked():
        began = {recipe.name: recipe.fingerprint() for recipe in RECIPES.values()}
        missing = RECIPES.keys() - store.prepared(thorough=thorough).keys()
        if not missing:
            return
        require_room(store.root)
        sweep(store.root)
        with tempfile.TemporaryDirectory(prefix=".making-", dir=store.root) as scratch:
            taken = take((RECIPES[name] for name in missing), Path(scratch))
            for recipe in (recipe for recipe in RECIPES.values() if recipe.name in missing):
                make(recipe, began[recipe.name], store, taken, Path(scratch) / recipe.name)


def take(recipes: Iterable[Recipe], scratch: Path) -> dict[str, Path]:
    """Download the packages that recipes need, keep the one file used of each."""
    pins = packages.pinned()
    taken: dict[str, Path] = {}
    for name in sorted({name for recipe in recipes for name in recipe.packages}):
        say(f"downloading {pins[name].requirement} ({pins[name].licence})")
        download = scratch / "download"
        archive = packages.fetch(pins[name], download)
        taken[name] = packages.extract(pins[name], archive, scratch / "taken" / name)
        shutil.rmtree(download)
    return taken


def make(recipe: Recipe, began: str, store: Store, taken: Mapping[str, Path], scratch: Path) -> None:
    """Fill a new folder by the recipe, and put it in the old one's place when it is complete.

    ``began`` is the recipe's fingerprint at the start: code that was edited meanwhile, by a change of branch for one,
    is not what ran, and what ran is nowhere any more.
    """
    started = time.monotonic()
    say(f"making {recipe.name}")
    files = scratch / FILES
    files.mkdir(parents=True)
    recipe.build(
        Bench(
            files=files,
            taken={name: taken[name] for name in recipe.packages},
            assets={name: store.folder(name) / FILES for name in recipe.assets},
            say=lambda message: say(f"  {message}"),
        )
    )
    if recipe.fingerprint() != began:
        raise PreparationError(f"The recipe of {recipe.name} was changed while it was made; begin again.")
    manifest.write(manifest.survey(files, began), scratch)
    publish(scratch, store.folder(recipe.name))
    say(f"made {recipe.name} in {time.monotonic() - started:.0f} s")


def publish(new: Path, place: Path) -> None:
    """Rename the folder into place; whoever looks meanwhile sees the old one, none, or the new one whole."""
    make_readable(new, place.parent)
    if place.exists():
        place.rename(new.with_name(f"{new.name}.old"))
    new.rename(place)


def sweep(root: Path) -> None:
    """Remove what a process that was killed left behind; called under the lock, so nobody works in there."""
    for leftover in root.glob(".making-*"):
        shutil.rmtree(leftover)


def require_room(root: Path) -> None:
    free = shutil.disk_usage(root).free
    if free < ROOM_NEEDED:
        raise PreparationError(
            f"{root} has {free / 1e9:.1f} GB free; preparing the stand-in assets needs {ROOM_NEEDED / 1e9:.1f} GB.\n"
            "Make room, or choose another disk with STANDINS_HOME."
        )


@contextmanager
def explained(root: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a sentence about this folder."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise PreparationError(
                f"The disk of {root} filled up while assets were made; what was there before is intact.\n"
                "Make room, or choose another disk with STANDINS_HOME."
            ) from error
        if error.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise PreparationError(
                f"{root} can not be written ({error.strerror}); choose a folder with STANDINS_HOME."
            ) from error
        raise
