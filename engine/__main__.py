"""``python -m engine run FILE ...`` executes examples as the build does; ``explain`` says what would run again."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from engine.cache import Cache
from engine.example import ExampleError, read
from engine.session import Session, failure_message
from engine.surroundings import Surroundings

DEFAULT_CACHE = Path("_build/runs")


def main() -> int:
    """0 when all examples ran to their end."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument("command", choices=["run", "explain"])
    parser.add_argument("examples", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder of earlier runs")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="write each run record here as JSON")
    options = parser.parse_args()
    try:
        examples = [read(path) for path in options.examples]
    except (ExampleError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.command == "explain":
        for example in examples:
            print(Cache(options.cache).explain(example, Surroundings.here()))
        return 0
    runs = Session(Cache(options.cache)).run(examples)
    failures = [failure_message(runs[example.name], example.path) for example in examples]
    for message in filter(None, failures):
        print(message, file=sys.stderr)
    if options.record:
        options.record.mkdir(parents=True, exist_ok=True)
        for name, run in runs.items():
            text = json.dumps(run.record.to_json(), ensure_ascii=False, indent=1)
            (options.record / f"{name}.json").write_text(text, encoding="utf-8")
    return 1 if any(failures) else 0


if __name__ == "__main__":
    sys.exit(main())
