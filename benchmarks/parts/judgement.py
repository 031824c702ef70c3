"""Seconds for all that the guide does beside executing and rendering: keys, records, secret scan, recorded numbers.

And of these for the manifest alone: finding out what an example is given, and digesting it into the key of each.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from engine.cache import Cache, digest_of, key_facts
from engine.judgement import judged
from engine.place.surroundings import Surroundings
from engine.session import GOLDEN
from engine.values import secrets
from engine.values.example import discover
from engine.values.golden import Golden


def seconds(project: Path) -> float:
    """Once over what a cold build of this project did: the same functions on the same runs and pages."""
    examples, surroundings = discover(project / "examples"), Surroundings.here()
    kept = Cache(project / "runs")
    runs = {example.name: kept.load(example, digest_of(key_facts(example, surroundings))) for example in examples}
    if missing := [name for name, run in runs.items() if run is None]:
        raise RuntimeError(f"no run is kept of {', '.join(missing)}")
    with tempfile.TemporaryDirectory() as scratch:
        cache, golden = Cache(Path(scratch)), Golden(GOLDEN)
        begin = time.perf_counter()
        surroundings = Surroundings.here()
        for example in examples:
            facts = key_facts(example, surroundings)
            cache.load(example, digest_of(facts))
            if run := runs[example.name]:
                cache.save(example, judged(run, golden), facts)
        findings = list(secrets.search(project / "site"))
        took = time.perf_counter() - begin
    if findings:
        raise RuntimeError(str(findings[0]))
    return took


def manifest_seconds(project: Path) -> float:
    """What is given, once, and the key of every example."""
    examples = discover(project / "examples")
    begin = time.perf_counter()
    surroundings = Surroundings.here()
    for example in examples:
        digest_of(key_facts(example, surroundings))
    return time.perf_counter() - begin


if __name__ == "__main__":
    rounds, project = range(int(sys.argv[1])), Path(sys.argv[2])
    found = {
        "judgement": [round(seconds(project), 3) for _ in rounds],
        "manifest": [round(manifest_seconds(project), 3) for _ in rounds],
    }
    print(json.dumps(found))
