"""Of the guide's own runs, as the last build kept them: what rehearsing added, and what a set would run again."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from engine.cache import Cache
from engine.place.surroundings import Surroundings
from engine.session import Results, Session
from engine.values import rehearsal
from engine.values.example import discover
from engine.values.run import Run
from sets import VersionSet
from sets.record import SetRecord

ROOT = Path(__file__).parents[2]
ANY = VersionSet("any", "", {})  # whatever is installed here


def measure(rounds: int) -> dict[str, list[float]]:
    """Nothing where not all is kept, or nothing can be rehearsed."""
    examples, here = discover(ROOT / "examples"), Surroundings.here()
    rehearsals = list(rehearsal.discover(examples).values())
    results = Session(Cache(ROOT / "_build/runs"), here).cached(examples, rehearsals)
    wanted = {each.example.name: {*each.cards} for each in rehearsals}
    kept = {name: {*by_cards} for name, by_cards in results.rehearsed.items()}
    if len(results.runs) < len(examples) or kept != wanted:
        return {}
    return {**shares(results), **stale(results.runs, here, rounds)}


def shares(results: Results) -> dict[str, list[float]]:
    """Seconds in which the examples ran and were rehearsed, both side by side with others."""
    executed = sum(run.record.seconds for run in results.runs.values())
    rehearsed = sum(each.seconds for by_cards in results.rehearsed.values() for each in by_cards.values())
    share = 100 * rehearsed / executed
    return {
        "rehearsal/executed": [round(executed)],
        "rehearsal/rehearsed": [round(rehearsed)],
        "rehearsal/share": [round(share, 1)],
    }


def stale(runs: Mapping[str, Run], here: Surroundings, rounds: int) -> dict[str, list[float]]:
    """For a set that ran here: seconds to find out that nothing has changed, and how many run again after an edit."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch, "examples")
        shutil.copytree(ROOT / "examples", folder)
        record = SetRecord.of(ANY, discover(folder), runs, here)
        times, counts = [], []
        for _ in range(rounds):
            begin = time.perf_counter()
            record.holding(discover(folder), ANY, here)
            times.append(round(time.perf_counter() - begin, 3))
        for path in sorted(path for path in folder.iterdir() if path.name in runs):
            text = path.read_text(encoding="utf-8")
            path.write_text(f"{text}# edited\n", encoding="utf-8")
            counts.append(float(len(runs) - len(record.holding(discover(folder), ANY, here))))
            path.write_text(text, encoding="utf-8")
    return {"sets/check": times, "sets/again": counts}


if __name__ == "__main__":
    print(json.dumps(measure(rounds=int(sys.argv[1]))))
