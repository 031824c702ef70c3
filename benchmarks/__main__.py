"""``python -m benchmarks`` measures, prints the table and writes JSON and a picture; ``make bench`` calls it."""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks import report
from benchmarks.run import QUICK, ROOT, Plan, run

RESULTS = ROOT / "benchmarks/results.json"  # the documentation shows it


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one example, one round, no peers: to see that it works")
    parser.add_argument("--folder", type=Path, default=ROOT / "_build/bench", help="where to build; may be deleted")
    parser.add_argument("--results", type=Path, default=RESULTS, help="JSON file to write; the picture goes beside it")
    options = parser.parse_args()
    results = run(QUICK if options.quick else Plan(), options.folder.resolve())
    picture = options.results.with_suffix(".svg")
    results.write(options.results)
    report.picture(results, picture)
    print(report.table(results))
    print(f"\n{results.seconds:.0f} s in all; {options.results} and {picture} hold the results.")


if __name__ == "__main__":
    main()
