"""Executed examples kept between builds, found again only when nothing that can change their output has changed."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from nbformat.notebooknode import from_dict

from engine.example import Example
from engine.record import Record
from engine.rehearsal import Rehearsal, Rehearsed
from engine.run import Run
from engine.surroundings import Surroundings

# What of the engine has a hand in an output.  The rest decides what is shown, and may change without a new run.
ENGINE = (
    "bash_kernel",
    "client",
    "example",
    "execution",
    "forked",
    "kernels",
    "needs",
    "observer",
    "preload",
    "terminal",
)


def key_facts(example: Example, surroundings: Surroundings) -> dict[str, Any]:
    """All that can change the output of an example: what :func:`key` digests and ``explain`` compares."""
    texts = {example.name: example.text.encode()}  # as read: the file may have been edited since
    texts |= {path.name: path.read_bytes() for path in example.companions}
    engine = b"".join(Path(__file__).with_name(f"{name}.py").read_bytes() for name in ENGINE)
    return {
        "files": {name: hashlib.sha256(text).hexdigest() for name, text in texts.items()},
        "engine": hashlib.sha256(engine).hexdigest(),
        **surroundings.identity,
    }


def rehearsal_facts(rehearsal: Rehearsal, cards: int, surroundings: Surroundings) -> dict[str, Any]:
    """All that can change what comes of a rehearsal."""
    assert surroundings.rehearsal
    rehearser = Path(__file__).with_name("rehearser.py").read_bytes()
    return {
        **key_facts(rehearsal.rehearsed, surroundings),
        "content": surroundings.rehearsal["content"],
        "cards": cards,
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
        entry = _entry(self._path(example.name, key))
        if entry is None:
            return None
        run = Run(from_dict(entry["notebook"]), Record.from_json(entry["record"]))
        return run if run.record.key == key and run.record.succeeded else None

    def save(self, example: Example, run: Run, facts: Mapping[str, Any]) -> None:
        """Keep a run with the :func:`key_facts` it holds under, replacing older ones of this example."""
        entry = {"record": run.record.to_json(), "notebook": run.notebook, "facts": facts}
        self._save(example.name, run.record.key, entry)

    def load_rehearsed(self, example: Example, cards: int, key: str) -> Rehearsed | None:
        """As :meth:`load`, of a rehearsal."""
        entry = _entry(self._path(f"{example.name}@{cards}", key))
        rehearsed = Rehearsed.from_json(entry["rehearsed"]) if entry else None
        return rehearsed if rehearsed and rehearsed.key == key else None

    def save_rehearsed(self, rehearsed: Rehearsed, facts: Mapping[str, Any]) -> None:
        """As :meth:`save`, of a rehearsal."""
        entry = {"rehearsed": asdict(rehearsed), "facts": facts}
        self._save(f"{rehearsed.example}@{rehearsed.cards}", rehearsed.key, entry)

    def _save(self, name: str, key: str, entry: Mapping[str, Any]) -> None:
        """Replaces older entries of this name."""
        self.folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps(entry, ensure_ascii=False, indent=1)
        digest = hashlib.sha256(content.encode()).hexdigest()
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False, encoding="utf-8") as file:
            file.write(f"{digest}\n{content}")
        target = self._path(name, key)
        Path(file.name).replace(target)
        for older in self.folder.glob(f"{name}-*.json"):
            if older != target:
                older.unlink(missing_ok=True)

    def seconds_before(self, example: Example) -> float:
        """How long the run that is kept of this example took, whether it still holds or not; 0 when there is none."""
        entries = (_entry(path) for path in self.folder.glob(f"{example.name}-*.json"))
        return max((entry["record"]["seconds"] for entry in entries if entry), default=0)

    def explain(self, example: Example, surroundings: Surroundings) -> str:
        """Why this example will run again, or that it will not, in a sentence or a list of differences."""
        facts = key_facts(example, surroundings)
        if self.load(example, digest_of(facts)):
            return f"{example.name} will not run again: nothing that its output depends on has changed"
        kept = [entry for path in self.folder.glob(f"{example.name}-*.json") if (entry := _entry(path))]
        if not kept:
            return f"{example.name} will run: no successful run of it is kept"
        return f"{example.name} will run again:\n  " + "\n  ".join(_differences(kept[0]["facts"], facts))

    def _path(self, name: str, key: str) -> Path:
        return self.folder / f"{name}-{key[:16]}.json"


def _entry(path: Path) -> dict[str, Any] | None:
    """What a file of the cache holds; None when it is absent, half-written, corrupt or of another format."""
    try:
        digest, _, content = path.read_text(encoding="utf-8").partition("\n")
        if digest == hashlib.sha256(content.encode()).hexdigest():
            return dict(json.loads(content))
    except (OSError, ValueError):
        pass
    return None


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
