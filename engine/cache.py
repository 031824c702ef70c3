"""Executed examples kept between builds, found again only when nothing that can change their output has changed."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from nbformat.notebooknode import from_dict

from engine.place.surroundings import Surroundings
from engine.values.example import Example
from engine.values.record import Record
from engine.values.rehearsal import Rehearsal, Rehearsed
from engine.values.run import Run

KEPT = 8  # runs of one example, for branches and sets of versions between which somebody switches
UNUSED_SECONDS = 60 * 24 * 3600
SAVING = ".saving-"
LOCK = ".lock"
OURS = re.compile(rf".+-[0-9a-f]{{16}}\.json|{re.escape(SAVING)}\w+")
Read = TypeVar("Read")

# What of the engine has a hand in an output.  The rest decides what is shown, and may change without a new run.
HERE = Path(__file__).parent
ENGINE = ("kernel/*.py", "observing/**/*.py", "values/example.py", "values/needs.py")


def key_facts(example: Example, surroundings: Surroundings) -> dict[str, Any]:
    """All that can change the output of an example: what :func:`key` digests and ``explain`` compares."""
    texts = {example.name: example.text.encode()}  # as read: the file may have been edited since
    texts |= {path.name: path.read_bytes() for path in example.companions}
    engine = b"".join(path.read_bytes() for pattern in ENGINE for path in sorted(HERE.glob(pattern)))
    return {
        "files": {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()},
        "engine": hashlib.sha256(engine).hexdigest(),
        **surroundings.identity,
    }


def rehearsal_facts(rehearsal: Rehearsal, cards: int, surroundings: Surroundings) -> dict[str, Any]:
    """All that can change what comes of a rehearsal."""
    assert surroundings.rehearsal
    rehearser = (HERE / "rehearser.py").read_bytes()
    return {
        **key_facts(rehearsal.rehearsed, surroundings),
        "content": surroundings.rehearsal["content"],
        "cards": cards,
        "processes": rehearsal.processes(cards),
        "rehearser": hashlib.sha256(rehearser).hexdigest(),
    }


def digest_of(facts: Mapping[str, Any]) -> str:
    """The key: SHA-256 of :func:`key_facts`."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class Cache:
    """A folder of runs, one file each, that several builds may use at once.

    Only runs that succeeded are kept: what failed is executed again by every build until it does not.
    """

    folder: Path

    def load(self, example: Example, key: str) -> Run | None:
        """The run stored under this key; None when there is none or its file was damaged."""
        path = self._path(example.name, key)
        run = _read(path, lambda entry: Run(from_dict(entry["notebook"]), Record.from_json(entry["record"])))
        if run is None or run.record.key != key or not run.record.succeeded:
            return None
        _touch(path)
        return run

    def save(self, example: Example, run: Run, facts: Mapping[str, Any]) -> None:
        """Keep a run with the :func:`key_facts` it holds under, beside those of other branches and sets."""
        entry = {"record": run.record.to_json(), "notebook": run.notebook, "facts": facts}
        self._save(example.name, run.record.key, entry)

    @contextmanager
    def alone(self, wait: Callable[[], None]) -> Iterator[None]:
        """One process at a time; ``wait`` is called before it waits for another, which has died at the latest."""
        from filelock import FileLock, Timeout  # not above: a build that executes nothing locks nothing

        lock = FileLock(self.folder / LOCK)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                wait()
                lock.acquire()
        except OSError:
            pass  # what can not be written is not shared either
        try:
            yield
        finally:
            lock.release()

    def load_rehearsed(self, example: Example, cards: int, key: str) -> Rehearsed | None:
        """As :meth:`load`, of a rehearsal."""
        path = self._path(f"{example.name}@{cards}", key)
        rehearsed = _read(path, lambda entry: Rehearsed.from_json(entry["rehearsed"]))
        if rehearsed is None or rehearsed.key != key:
            return None
        _touch(path)
        return rehearsed

    def save_rehearsed(self, rehearsed: Rehearsed, facts: Mapping[str, Any]) -> None:
        """As :meth:`save`, of a rehearsal."""
        entry = {"rehearsed": asdict(rehearsed), "facts": facts}
        self._save(f"{rehearsed.example}@{rehearsed.cards}", rehearsed.key, entry)

    def _save(self, name: str, key: str, entry: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(entry, ensure_ascii=False, indent=1)
        digest = hashlib.sha256(content.encode()).hexdigest()
        with tempfile.NamedTemporaryFile("w", dir=self.folder, prefix=SAVING, delete=False, encoding="utf-8") as file:
            file.write(f"{digest}\n{content}")
        target = self._path(name, key)
        Path(file.name).replace(target)
        self._prune(name)

    def _prune(self, name: str) -> None:
        """Keep the entries of this name that were used last, and nothing for ever; what is not ours is left alone."""
        ours = [path for path in self.folder.iterdir() if OURS.fullmatch(path.name)]
        of_this_name = (path for path in ours if path.name[: -len("-0123456789abcdef.json")] == name)
        last_used = sorted(of_this_name, key=_used, reverse=True)
        long_ago = time.time() - UNUSED_SECONDS
        forgotten = (path for path in ours if _used(path) < long_ago)
        for path in {*last_used[KEPT:], *forgotten}:
            path.unlink(missing_ok=True)

    def explain(self, example: Example, surroundings: Surroundings) -> str:
        """Why this example will run again, or that it will not, in a sentence or a list of differences."""
        facts = key_facts(example, surroundings)
        if self.load(example, digest_of(facts)):
            return f"{example.name} will not run again: nothing that its output depends on has changed"
        kept = [_read(path, lambda entry: dict(entry["facts"])) for path in self.folder.glob(f"{example.name}-*.json")]
        differences: list[list[str]] = [_differences(then, facts) for then in kept if then]
        if not differences:
            return f"{example.name} will run: no successful run of it is kept"
        nearest = min(differences, key=len)
        return f"{example.name} will run again:\n  " + "\n  ".join(nearest)

    def _path(self, name: str, key: str) -> Path:
        return self.folder / f"{name}-{key[:16]}.json"


def _read(path: Path, made: Callable[[dict[str, Any]], Read]) -> Read | None:
    """What is made of a file of the cache; None when it is absent, half-written, corrupt or of another format."""
    try:
        digest, _, content = path.read_text(encoding="utf-8").partition("\n")
        if digest == hashlib.sha256(content.encode()).hexdigest():
            return made(json.loads(content))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def _touch(path: Path) -> None:
    """Note that it was used; where the folder can only be read, nothing is pruned either."""
    with suppress(OSError):
        os.utime(path)


def _used(path: Path) -> float:
    """When, in seconds since 1970; long ago for one that another build has removed meanwhile."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0


def _differences(then: Mapping[str, Any], now: Mapping[str, Any], of: str = "") -> list[str]:
    """One line for each fact that differs."""
    lines = []
    for name in sorted(then.keys() | now.keys()):
        old, new = then.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            lines += _differences(old, new, f"{of}{name}: ")
        elif old != new:
            lines.append(f"{of}{name}: {_short(old)} -> {_short(new)}")
    return lines


def _short(value: Any) -> str:
    return "absent" if value is None else str(value)[:40]
