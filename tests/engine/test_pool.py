"""How many examples run at a time: as memory allows, and always one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from engine import pool
from engine.place import memory
from engine.values.run import Limits, Run

GIB = 1 << 30
Write = Callable[..., Path]
Execute = Callable[..., dict[str, Run]]


def most_at_once(monkeypatch: pytest.MonkeyPatch, available: int) -> tuple[int, float]:
    """Of four that take no time, and how long all of them took."""
    monkeypatch.setattr(pool, "available", lambda: available)
    running, most = 0, 0

    async def one(name: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.05)
        running -= 1
        return name

    async def all_of_them() -> dict[int, int]:
        tasks = {number: partial(one, number) for number in range(4)}
        return await pool.run(tasks, asyncio.Semaphore(2), pool.Room(), lambda _: None)

    begin = time.monotonic()
    assert asyncio.run(all_of_them()) == {number: number for number in range(4)}
    return most, time.monotonic() - begin


def test_where_memory_is_short_they_run_one_after_the_other_and_none_waits_for_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert most_at_once(monkeypatch, 16 * GIB)[0] == 2
    most, seconds = most_at_once(monkeypatch, GIB)
    assert most == 1 and seconds < 30


@pytest.mark.parametrize(
    ("lines", "files"),
    [
        (
            "0::/a/b\n",
            {"a/memory.max": 3 * GIB, "a/memory.current": 2 * GIB, "a/b/memory.max": "max", "a/b/memory.current": 7},
        ),
        (
            "5:cpu,memory:/a\n0::/\n",
            {"memory/a/memory.limit_in_bytes": 3 * GIB, "memory/a/memory.usage_in_bytes": 2 * GIB},
        ),
    ],
    ids=["version 2", "version 1"],
)
def test_a_container_has_what_its_groups_leave(lines: str, files: dict[str, object], tmp_path: Path) -> None:
    (tmp_path / "membership").write_text(lines, encoding="ascii")
    for name, number in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{number}\n", encoding="ascii")
        (path.parent / "memory.stat").write_text("inactive_file 1024\ntotal_inactive_file 1024\n", encoding="ascii")
    assert memory.available(tmp_path, tmp_path / "membership") == GIB + 1024
    assert memory.available(tmp_path, tmp_path / "absent") > GIB + 1024


def test_a_picture_counts_as_output(project: Write, run: Execute) -> None:
    show = "from IPython.display import Image, display\nimport os\n"
    show += "display(Image(data=b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(1 << 20), format='png'))\n"
    failure = run(project(x_py=f"# %% show\n{show}"), Limits(output_bytes=1 << 20))["x.py"].record.failure
    assert failure and failure.error == "printed more than an example may"
