"""What a whole build took at two commits, one after the other on one idle machine: the table shows the ratio.

    /usr/bin/time -v -o before.time make html           # in a clone of each commit, without _build
    python -m benchmarks.paired site 7fda252 before.time 1a2b3c4 now.time

It takes an hour, so ``make bench`` shows what was noted here last; ``tests`` in place of ``site`` notes ``make test``.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from benchmarks.rows import Row

NOTED = Path(__file__).with_name("paired.json")
ELAPSED = re.compile(r"Elapsed \(wall clock\) time .*: (?:(\d+):)?(\d+):([\d.]+)$", re.MULTILINE)
WHAT = {"site": ("整个网站，冷构建", "the whole site, cold"), "tests": ("make test", "make test")}


def seconds(report: str) -> float:
    """Wall time in a report of GNU time; raises ``ValueError`` where there is none, or the command failed."""
    found = ELAPSED.search(report)
    if not found or "Exit status: 0" not in report:
        raise ValueError("no report of 'time -v' of a command that succeeded")
    hours, minutes, rest = found.groups(default="0")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def rows() -> list[Row]:
    """Before and now, of what was noted."""
    noted = json.loads(NOTED.read_text(encoding="utf-8"))
    return [
        Row(f"paired/{what}/{when}", f"{zh}：{commit}", f"{en}: {commit}", (took,), "s")
        for what, (zh, en) in WHAT.items()
        if what in noted
        for when, (commit, took) in noted[what].items()
    ]


def note(what: str, old: str, before: str, new: str, now: str) -> None:
    """Two commits, each with the file that GNU time wrote there."""
    noted = json.loads(NOTED.read_text(encoding="utf-8")) if NOTED.exists() else {}
    pair = {"before": (old, before), "now": (new, now)}
    noted[what] = {when: (commit, seconds(Path(file).read_text())) for when, (commit, file) in pair.items()}
    NOTED.write_text(json.dumps(noted, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 6 or sys.argv[1] not in WHAT:
        sys.exit(__doc__)
    note(*sys.argv[1:])
