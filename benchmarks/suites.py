"""Run the tests of another library, as its own authors wrote them, on the device there is.

``python -m standins python -m benchmarks.suites peft tests/test_custom_models.py -k lora`` fetches the source archive
of the installed version from the package registry, runs these tests in a scratch folder, and prints how many were
collected, passed, failed and left out, and why.  No part of the build or of CI: it takes minutes to hours, and packages
that only these tests need have to be installed beside it.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree import ElementTree

LIBRARIES = ("accelerate", "peft")
"""Their source archives hold their tests."""
SHOWN = 20  # reasons of a kind
LONGEST = 150  # characters of a reason


class NoSuiteError(RuntimeError):
    """There is nothing to run; one sentence says why."""


@dataclass
class Summary:
    """What pytest's XML report tells."""

    passed: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        failed, skipped = self.failed.total(), self.skipped.total()
        lines = [
            f"collected {self.passed + failed + skipped}, passed {self.passed}, failed {failed}, left out {skipped}"
        ]
        for word, reasons in (("failed", self.failed), ("left out", self.skipped)):
            lines += [f"  {word} {count:4}  {reason}" for reason, count in reasons.most_common(SHOWN)]
            if len(reasons) > SHOWN:
                lines.append(f"  {word}       {len(reasons) - SHOWN} other reasons")
        return "\n".join(lines)


def summary(report: Path) -> Summary:
    """Read pytest's XML report; a module that can not be imported counts as one that failed."""
    found = Summary()
    for case in ElementTree.parse(report).iter("testcase"):
        outcome = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        if outcome is None:
            found.passed += 1
        else:
            (found.skipped if outcome.tag == "skipped" else found.failed)[reason(outcome)] += 1
    return found


def reason(outcome: ElementTree.Element) -> str:
    """The first line of what was raised or said; where a module could not be imported, the last of its errors."""
    message = outcome.get("message") or ""
    if message == "collection failure":
        errors = [line[1:].strip() for line in (outcome.text or "").splitlines() if line.startswith("E ")]
        message = errors[-1] if errors else message
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return (lines[0] if lines else "no reason given")[:LONGEST]


def fetched(library: str, folder: Path) -> Path:
    """The unpacked source archive of the installed version."""
    try:
        wanted = f"{library}=={version(library)}"
    except PackageNotFoundError:
        raise NoSuiteError(f"{library} is not installed here: pip install {library}") from None
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-build-isolation"]
    done = subprocess.run([*command, "--no-binary", ":all:", wanted], cwd=folder, capture_output=True, text=True)
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise NoSuiteError(f"no source archive of {wanted}: {(done.stderr.splitlines() or ['pip said nothing'])[-1]}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    (source,) = (path for path in folder.iterdir() if path.is_dir())
    if not (source / "tests").is_dir():
        raise NoSuiteError(f"the source archive of {wanted} holds no tests")
    (source / "tests/__init__.py").touch()  # archives lack it where it is empty, and tests import from their package
    return source


def run(source: Path, arguments: Sequence[str]) -> Summary:
    """Of pytest with these arguments, in the folder of the source archive; the library is the installed one."""
    report = source.parent / "report.xml"
    options = ["-q", "--no-header", "--tb=no", "-p", "no:cacheprovider", "-o", "addopts=", f"--junitxml={report}"]
    done = subprocess.run([sys.executable, "-m", "pytest", *options, *(arguments or ["tests"])], cwd=source)
    if not report.exists():
        raise NoSuiteError(f"pytest ended with {done.returncode} and without a report")
    return summary(report)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites", description=__doc__)
    parser.add_argument("library", choices=LIBRARIES)
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of pytest; all tests without them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = run(fetched(options.library, Path(folder)), options.arguments)
        except NoSuiteError as error:
            print(error, file=sys.stderr)
            return 2
    print(f"\n{options.library} {version(options.library)}: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
