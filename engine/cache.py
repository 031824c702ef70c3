"""Executed examples kept between builds, found again only when nothing that can change their output has changed."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from engine.example import Example
from engine.execution import Run
from engine.record import Record
from engine.surroundings import Surroundings

ENGINE = Path(__file__).parent


def key_facts(example: Example, surroundings: Surroundings) -> dict[str, Any]:
    """All that can change the output of an example: what :func:`key` digests and ``explain`` compares."""
    files = (example.path, *example.companions)
    engine = b"".join(path.read_bytes() for path in sorted(ENGINE.glob("*.py")))
    return {
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
        "engine": hashlib.sha256(engine).hexdigest(),
        **surroundings.identity,
    }


def key(example: Example, surroundings: Surroundings) -> str:
    """SHA-256 of :func:`key_facts`."""
    facts = json.dumps(key_facts(example, surroundings), sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()


@dataclass(frozen=True)
class Cache:
    """A folder of runs, one file each, that several builds may use at once.

    Only runs that succeeded are kept: what failed is executed again by every build until it does not.
    """

    folder: Path

    def load(self, example: Example, key: str) -> Run | None:
        """The run stored under this key; None when there is none or its file was damaged."""
        path = self._path(example, key)
        try:
            digest, _, content = path.read_text(encoding="utf-8").partition("\n")
            if digest != hashlib.sha256(content.encode()).hexdigest():
                return None
            entry = json.loads(content)
            run = Run(nbformat.from_dict(entry["notebook"]), Record.from_json(entry["record"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None  # half-written, corrupt or of another format: it is executed again
        return run if run.record.key == key and run.record.succeeded else None

    def save(self, example: Example, run: Run) -> None:
        """Keep a run, replacing older ones of this example."""
        self.folder.mkdir(parents=True, exist_ok=True)
        entry = {"record": run.record.to_json(), "notebook": run.notebook}
        content = json.dumps(entry, ensure_ascii=False, indent=1)
        digest = hashlib.sha256(content.encode()).hexdigest()
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False, encoding="utf-8") as file:
            file.write(f"{digest}\n{content}")
        target = self._path(example, run.record.key)
        os.replace(file.name, target)
        for older in self.folder.glob(f"{example.name}-*.json"):
            if older != target:
                older.unlink(missing_ok=True)

    def _path(self, example: Example, key: str) -> Path:
        return self.folder / f"{example.name}-{key[:16]}.json"
