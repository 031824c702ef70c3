from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.cache import Cache
from engine.kernel import forked
from engine.place.surroundings import Surroundings
from engine.session import Session
from engine.values.example import read
from engine.values.run import Limits, Run

LIMITS = Limits(cell_seconds=5, example_seconds=20, memory_bytes=2 << 30, output_bytes=1 << 20)


@pytest.fixture(scope="session", autouse=True)
def _libraries() -> None:
    """All kernels of these tests are forked from one process, whatever the first example imports."""
    forked.start_server(Surroundings.here().environment)


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., Path]:
    """Write files of a small examples folder; returns it."""

    def write(**files: str) -> Path:
        folder = tmp_path / "examples"
        folder.mkdir(exist_ok=True)
        for name, text in files.items():
            path = folder / name.replace("_py", ".py").replace("_sh", ".sh")
            head = '"""Title"""\n\n' if path.suffix == ".py" else "# Title\n\n"
            path.write_text(head + text, encoding="utf-8")
        return folder

    return write


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., dict[str, Run]]:
    """Run all examples of a folder through a session with small limits, its cache beside the folder."""

    def execute(folder: Path, limits: Limits = LIMITS) -> dict[str, Run]:
        examples = [read(path) for path in sorted(folder.iterdir())]
        said: list[str] = []
        runs = Session(Cache(tmp_path / "cache"), limits=limits, tell=said.append).run(examples)
        execute.said = said  # type: ignore[attr-defined]
        return runs

    return execute
