"""A plugin of pytest: tells what comes of each test as it comes, a line of JSON for each, into the file ``TOLD``.

What a process has told is known however it ends; a process that is given the same file again goes on behind it.
:mod:`benchmarks.suites` copies it to where the other library's tests run: it imports nothing of this repository.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

TOLD = "TOLD"  # names the file
STARTED = re.compile(r"failed with (the following error|returncode)|CalledProcessError|SubprocessCallException")
RAISED = re.compile(r"(?:\[rank\d+\]: ?|E +)?((?:\w+\.)*\w*(?:Error|Exception): \S.*)")


def tell(test: str, outcome: str, reason: str = "") -> None:
    line = json.dumps({"test": test, "outcome": outcome, "reason": reason})
    with Path(os.environ[TOLD]).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def lines() -> Iterator[dict[str, str]]:
    file = Path(os.environ[TOLD])
    return map(json.loads, file.read_text(encoding="utf-8").splitlines() if file.exists() else ())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    known = {line["test"] for line in lines()}
    items[:] = [item for item in items if item.nodeid not in known]


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.outcome != "passed":
        tell(report.nodeid, report.outcome, reason(report.longrepr))


def pytest_runtest_logstart(nodeid: str) -> None:
    tell(nodeid, "started")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "call" or report.outcome != "passed":
        tell(report.nodeid, report.outcome, getattr(report, "wasxfail", "") or reason(report.longrepr))


def pytest_runtest_logfinish(nodeid: str) -> None:
    tell(nodeid, "ended")


def reason(raised: Any) -> str:
    """The first line of what was raised or said; where a module could not be imported, the last of its errors.

    Where a test starts another process and shows what this has written, the last that was raised there.
    """
    if isinstance(raised, tuple):  # file, line and reason of what is left out
        text = str(raised[2])
    elif crash := getattr(raised, "reprcrash", None):
        text = str(crash.message)
    else:
        text = "\n".join([line[1:].strip() for line in str(raised or "").splitlines() if line.startswith("E ")][-1:])
    first, *others = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    if STARTED.search(first):
        first = ([match[1] for line in others if (match := RAISED.match(line))] or [first])[-1]
    return first
