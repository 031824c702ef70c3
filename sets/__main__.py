"""``python -m sets install NAME FOLDER`` makes the environment of a set, or checks a given one for it.

``python -m sets run NAME``, by the Python of that environment and inside the stand-ins, brings
``sets/records/NAME.json`` up to date: it runs the examples that have changed or failed since, with a cache of its own.
Without that file it runs them all.  ``run NAME EXAMPLE ...`` runs these alone; with ``ELSEWHERE`` set, as by
:mod:`sets.elsewhere`, the record is one of this machine and Python.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import bootstrap
from sets import every_set

ROOT = Path(__file__).parents[1]
BUILD = Path("_build/sets")
RUN_EXAMPLES = ("examples.txt", "given.txt")  # of requirements/: name all that engine and stand-ins import
PACKAGE = re.compile(r"^[\w-]+", re.MULTILINE)


def main(arguments: list[str]) -> None:
    """Exits with a sentence that says what is possible."""
    known = every_set()
    if len(arguments) < 2 or arguments[1] not in known:
        sys.exit(f"say which set: make set SET=NAME, with one of {', '.join(known)}")
    if arguments[0] == "install":
        install(arguments[1], Path(arguments[2]))
    else:
        run(arguments[1], arguments[2:])


def install(name: str, folder: Path) -> None:
    """Uses nothing that is to be installed."""
    lists = BUILD / name / "requirements"
    lists.mkdir(parents=True, exist_ok=True)
    (lists / bootstrap.GIVEN).write_text("")  # a given environment has exactly these versions, or it is not this set
    (lists / "checks.txt").write_text("\n".join(requirements(name)) + "\n")
    os.environ.pop("PYTHONPATH", None)
    bootstrap.main(folder, "checks", lists)


def requirements(name: str) -> list[str]:
    """What pip installs for this set."""
    needed = "".join((ROOT / "requirements" / file).read_text(encoding="utf-8") for file in RUN_EXAMPLES)
    ours = {line.partition("==")[0]: line for line in bootstrap.pinned(ROOT / "requirements")}
    packages = set(PACKAGE.findall(needed))
    return every_set()[name].requirements({package: line for package, line in ours.items() if package in packages})


def run(name: str, only: list[str]) -> None:
    """Examples that fail are what this is to find out: it ends well all the same."""
    from engine.cache import Cache
    from engine.session import Session
    from engine.values.example import discover
    from engine.values.golden import Golden
    from engine.values.run import UNLIMITED, Limits
    from sets.record import ELSEWHERE, RECORDS, SetRecord, read_all, write

    where = os.environ.get("ELSEWHERE", "")
    folder = ELSEWHERE if where else RECORDS
    nothing_recorded = Golden(BUILD)  # the recorded numbers belong to the versions of the site
    # It is not about how fast this machine is, and an emulated one is slower than any.
    patient = UNLIMITED if where else Limits(cell_seconds=1800, example_seconds=3600)
    session = Session(Cache(BUILD / name / "runs"), limits=patient, golden=nothing_recorded)
    chosen, examples = every_set()[name], discover(ROOT / "examples")
    if unknown := set(only) - {example.name for example in examples}:
        sys.exit(f"examples/ has no {', '.join(sorted(unknown))}")
    nothing = SetRecord.of(chosen, [], {}, session.surroundings, where)
    before = read_all(folder).get(nothing.name, nothing)
    kept = before.holding(examples, chosen, session.surroundings)
    stale = [each for each in examples if each.name not in kept and (not only or each.name in only)]
    if not stale:
        print(f"nothing has changed since {name} ran; without {folder.name}/{nothing.name}.json all examples run again")
        return
    record = SetRecord.of(chosen, stale, session.run(stale), session.surroundings, where).with_outcomes(kept)
    write(record, folder)
    print(record.summary())


if __name__ == "__main__":
    main(sys.argv[1:])
