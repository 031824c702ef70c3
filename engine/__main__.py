"""``python -m engine run FILE ...`` executes examples as the build does.

``explain FILE ...`` says which would run again, and why; ``accept FILE ...`` records the numbers they print now, and
how long they take.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import nbformat

from engine.cache import Cache
from engine.judgement import written
from engine.place import silicon
from engine.place.surroundings import REPORT, Surroundings
from engine.session import GOLDEN, Session, failure_message
from engine.shards import Shard, record, recorded
from engine.values.example import Example, ExampleError, read
from engine.values.golden import Golden
from engine.values.rehearsal import Rehearsal, discover
from engine.values.run import UNLIMITED, Limits, Run

NOTHING_RECORDED = Golden(Path("nowhere"))
DEFAULT_CACHE = Path("_build/runs")


def parsed(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m engine", description=__doc__)
    parser.add_argument("command", choices=["run", "explain", "accept"])
    parser.add_argument("examples", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE, help="folder of earlier runs")
    parser.add_argument("--record", type=Path, metavar="FOLDER", help="write each run here: record and notebook")
    parser.add_argument("--cell-seconds", type=float, help="what one cell may take")
    parser.add_argument("--example-seconds", type=float, help="what one file may take")
    parser.add_argument("--memory-gib", type=float, help="what one file may take of the host's memory")
    parser.add_argument("--real", action="store_true", help="refuse to run where anything stands in; without limits")
    parser.add_argument("--shard", metavar="I/N", default="1/1", help="only this part of the files: 2/8 is the second")
    return parser.parse_args(arguments)


def main() -> int:
    """0 when all examples ran to their end."""
    options = parsed()
    if options.real and (posing := stand_in(os.environ)):
        return refuse(posing)
    try:
        shard = Shard.parsed(options.shard)
        examples = shard.taken([read(path) for path in options.examples], recorded())
        rehearsals = discover(examples)
    except (ExampleError, OSError, ValueError) as error:
        return refuse(str(error))
    if options.command == "explain":
        print(*(Cache(options.cache).explain(example, Surroundings.here()) for example in examples), sep="\n")
        return 0
    return run(options, examples, rehearsals)


def run(options: argparse.Namespace, examples: Sequence[Example], rehearsals: Mapping[str, Rehearsal]) -> int:
    """Have the examples run and rehearsed, say what failed, and write what was asked for."""
    golden = Golden(GOLDEN)
    compared = options.command == "run" and REPORT in os.environ  # recorded with stand-ins: real models have others
    limits = chosen_limits(options)
    session = Session(Cache(options.cache), limits=limits, golden=golden if compared else NOTHING_RECORDED)
    results = session.run_all(examples, list(rehearsals.values()))
    runs = results.runs
    if options.real and (posing := met_stand_ins(runs.values())):
        return refuse(posing)
    failures = [failure_message(runs[example.name], example.path) for example in examples]
    for name, rehearsed in results.rehearsed.items():
        failures += [rehearsals[name].contradiction(each) for each in rehearsed.values()]
    for message in filter(None, failures):
        print(message, file=sys.stderr)
    if options.command == "accept":
        accept(golden, runs.values())
        record((name, results.seconds(name)) for name, each in runs.items() if each.record.succeeded)
    for each in runs.values() if options.record else ():
        write_record(each, options.record)
    return 1 if any(failures) else 0


def refuse(reason: str) -> int:
    """The exit code of what could not begin."""
    print(reason, file=sys.stderr)
    return 2


def stand_in(environment: Mapping[str, str]) -> str:
    """What is not real here, in a sentence; empty where nothing stands in."""
    if REPORT in environment:
        return "something stands in here; without 'python -m standins' in front, nothing does"
    if home := silicon.posing(environment):
        return f"{home} is a stand-in for CANN, with no chip behind it; source the set_env.sh of a CANN"
    return ""


def met_stand_ins(runs: Iterable[Run]) -> str:
    """As :func:`stand_in`, of what was not seen before the runs: their libraries said it."""
    names = [run.record.example for run in runs if run.record.device.kind == "virtual-npu"]
    return f"{', '.join(names)} met libraries that stand in for CANN: nothing is recorded" if names else ""


def chosen_limits(options: argparse.Namespace) -> Limits:
    """Those of a build, none where everything is real; and what the command line says."""
    limits = UNLIMITED if options.real else Limits()
    chosen = {"cell_seconds": options.cell_seconds, "example_seconds": options.example_seconds}
    if options.memory_gib is not None:
        chosen["memory_bytes"] = round(options.memory_gib * (1 << 30))
    return replace(limits, **{name: value for name, value in chosen.items() if value is not None})


def accept(golden: Golden, runs: Iterable[Run]) -> None:
    """Record what these runs printed, and say what changed."""
    for run in runs:
        printed = {cell.metadata.get("title"): written(cell) for cell in run.notebook.cells}
        for change in golden.accept(run.record.example, printed):
            print(change)


def write_record(run: Run, folder: Path) -> None:
    """``NAME.json``, the record, and beside it ``NAME.ipynb``, the executed notebook."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(run.record.to_json(), ensure_ascii=False, indent=1)
    (folder / f"{run.record.example}.json").write_text(text, encoding="utf-8")
    nbformat.write(run.notebook, folder / f"{run.record.example}.ipynb")


if __name__ == "__main__":
    sys.exit(main())
