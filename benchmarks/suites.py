"""Run the tests of another library, as its own authors wrote them, on the device there is.

``python -m standins python -m benchmarks.suites peft tests/test_custom_models.py -k lora`` fetches the source archive
of the installed version from the package registry, runs these tests in a scratch folder, and prints how many were
collected, passed, failed and left out, and why.  ``--source`` names a folder where such sources lie already; torch_npu
has no archive with its tests, a clone of its repository has them.  ``--record`` keeps what was found for the page about
measurements.  ``--journal`` keeps what comes of each test as it comes: a run that was stopped goes on with the same
folder where it was.  No part of the build or of CI: it takes minutes to hours, and packages that only these tests need
have to be installed beside it.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import told

TESTS = {"accelerate": "tests", "peft": "tests", "torch_npu": "test/npu"}
"""Of each library, where they are in its sources."""
VERSIONS = ("torch", "torch_npu", "transformers")  # that a record tells, beside the library's
LONGEST = 200  # characters of a reason
FOLDER = re.compile(r"(?<![\w.])(/[\w.+-]+)+/")  # of the machine where it ran
TEST_SECONDS = 180.0
PASSED, FAILED, LEFT_OUT = "passed", "failed", "skipped"
WORSE = {outcome: badness for badness, outcome in enumerate(("started", "ended", PASSED, LEFT_OUT, FAILED))}
REPORT = "STANDINS_REPORT"

# What a failure says of the virtual NPU, the first that fits.
CLASSES = {
    "private format": r"private formats|acl_format|npu_format",
    "refused": r"not emulated by the virtual NPU|Failed to find function acl|aclrtReserveMemAddress failed"
    r"|AclIpcGetEventHandle",
    "any device": r"BF16 all reduce communication hook required CUDA",  # torch's own words, on every other device
    "no hub": r"Repository Not Found|RepositoryNotFound|EntryNotFound|404|is not a (valid|local)|[Cc]an't load|Hub|hub"
    r"|Can.t find|[Cc]ouldn't (find|reach|connect)|does not appear to have|ConnectionError|huggingface",
    "no package": r"No module named|ModuleNotFoundError|ImportError|cannot import name|is not installed|not available",
    "other host": r"/home/|No such file or directory|FileNotFoundError|examples/(by_feature|inference)/"
    r"|Failed to build stub",
    "float64": r"double",
    "sparse": r"Sparse|sparse|aten::addmm",
    "died": r"^its process (died|ended)",
    "too long": r"^no end within",
}
OTHER = "other"

# Failures whose words do not tell what they are, by their tests, and how it was found out.
FOUND_OUT = {
    # nn.ParameterDict makes a new parameter of what is moved, so AdaLoRA's rank is trained on every device but the CPU.
    r"AdaLoraConfig": "any device",
    # Its configuration is read from a file that is not in the archive, when the class is set up.
    r"ToFSDP2Tester": "other host",
    # A capture of a graph is refused before the error that is asked for.
    r"test_aclgraph_rng_state": "refused",
    # Moved less than the tolerance that the test has for all devices but the CPU; on the CPU it fails with it as well.
    r"test_disable_adapters\[.*PVeRA-EmbConv1D": "any device",
    # Its first weights are moved by 10 on all devices but the CPU; so moved it fails on the CPU as well.
    r"test_disable_adapters_with_merging\[.* trainable_tokens-EmbConv1D-TrainableTokens": "any device",
}


class NoSuiteError(RuntimeError):
    """There is nothing to run; one sentence says why."""


@dataclass(frozen=True)
class Outcome:
    """What came of one test."""

    test: str
    outcome: str
    reason: str = ""

    @property
    def kind(self) -> str:
        """Of a failure: what it says of the virtual NPU."""
        by_reason = (name for name, pattern in CLASSES.items() if re.search(pattern, self.reason))
        by_test = (name for pattern, name in FOUND_OUT.items() if re.search(pattern, self.test))
        return next(by_reason, None) or next(by_test, OTHER)


@dataclass
class Summary:
    """What came of all of them."""

    outcomes: list[Outcome] = field(default_factory=list)
    stopped_in: str = ""
    """The file in which somebody stopped it."""

    def of(self, outcome: str) -> list[Outcome]:
        return [each for each in self.outcomes if each.outcome == outcome]

    def counted(self) -> dict[str, int]:
        counts = {outcome: len(self.of(outcome)) for outcome in (PASSED, FAILED, LEFT_OUT)}
        return {"collected": len(self.outcomes), **counts}

    def __str__(self) -> str:
        told_of = "collected {collected}, passed {passed}, failed {failed}, left out {skipped}"
        lines = [told_of.format(**self.counted())]
        if self.stopped_in:
            lines.append(f"  stopped in {self.stopped_in}")
        for word, outcome in (("failed", FAILED), ("left out", LEFT_OUT)):
            reasons = Counter(each.reason for each in self.of(outcome))
            lines += [f"  {word} {count:4}  {reason or 'no reason given'}" for reason, count in reasons.most_common()]
        return "\n".join(lines)

    def record(self, library: str, source: str) -> dict[str, Any]:
        """For the page about measurements; what failed and what was left out by its reasons."""
        return {
            "library": library,
            "version": version(library),
            "source": source,
            "date": datetime.now(UTC).date().isoformat(),
            "device": device_kind(),
            "versions": {name: version(name) for name in VERSIONS},
            "stopped_in": self.stopped_in,
            **self.counted(),
            "kinds": dict(Counter(each.kind for each in self.of(FAILED)).most_common()),
            "failures": list(by_reason(self.of(FAILED))),
            "left_out": dict(Counter(each.reason for each in self.of(LEFT_OUT)).most_common()),
        }


def by_reason(failures: Iterable[Outcome]) -> Iterator[dict[str, Any]]:
    """Each reason once, how often, and the first test that gave it."""
    first: dict[str, Outcome] = {}
    counts: Counter[str] = Counter()
    for each in failures:
        first.setdefault(each.reason, each)
        counts[each.reason] += 1
    for reason, count in counts.most_common():
        yield {"kind": first[reason].kind, "count": count, "reason": reason, "first": first[reason].test}


def device_kind() -> str:
    """As the stand-ins tell it."""
    report = os.environ.get(REPORT)
    device = json.loads(Path(report).read_text(encoding="utf-8"))["device"] if report else {}
    return str(device.get("kind", "npu"))


def fetched(library: str, folder: Path) -> Path:
    """The unpacked source archive of the installed version."""
    try:
        wanted = f"{library}=={version(library)}"
    except PackageNotFoundError:
        raise NoSuiteError(f"{library} is not installed here: pip install {library}") from None
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", wanted]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    archives = list(folder.glob("*.tar.gz"))
    if done.returncode or not archives:
        raise NoSuiteError(f"no source archive of {wanted}: {(done.stderr.splitlines() or ['pip said nothing'])[-1]}")
    with tarfile.open(archives[0]) as archive:
        archive.extractall(folder, filter="data")
    (source,) = (path for path in folder.iterdir() if path.is_dir())
    if not (source / TESTS[library]).is_dir():
        raise NoSuiteError(f"the source archive of {wanted} holds no tests")
    (source / "tests/__init__.py").touch()  # archives lack it where it is empty, and tests import from their package
    return source


def run(
    source: Path,
    tests: Sequence[str],
    journal: Path,
    options: Sequence[str] = (),
    seconds: float = TEST_SECONDS,
) -> Summary:
    """Of the tests in these files and folders of the sources; the library is the installed one.

    What the journal, a folder, holds of an earlier run is not run again.  One that is interrupted has what came of the
    tests until then.
    """
    found = Summary()
    journal.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as plugin:
        shutil.copy(told.__file__, plugin)
        for file in files(source, tests):
            try:
                found.outcomes += run_file(source, file, options, seconds, Path(plugin), journal)
            except KeyboardInterrupt:
                found.outcomes += ended(read(unfinished(journal, file)))
                found.stopped_in = file
                return found
            print(f"{file}: {Summary(found.outcomes)!s}".splitlines()[0], flush=True)
    return found


def files(source: Path, tests: Iterable[str]) -> Iterator[str]:
    for name in tests:
        path = source / name
        if path.is_dir():
            yield from (str(each.relative_to(source)) for each in sorted(path.rglob("test_*.py")))
        else:
            yield name


def unfinished(journal: Path, file: str) -> Path:
    return journal / f"{file.replace('/', '.')}.unfinished"


def run_file(
    source: Path, file: str, options: Sequence[str], seconds: float, plugin: Path, journal: Path
) -> list[Outcome]:
    """In processes of their own: where a test ends its process, or takes too long, another one goes on behind it."""
    record = unfinished(journal, file)
    finished = record.with_suffix(".jsonl")
    if not finished.exists():
        begun_again(record)
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider"]
        command += ["-o", "addopts=", "-p", Path(told.__file__).stem, *options, file]
        path = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, told.TOLD: str(record.resolve()), "PYTHONPATH": path}
        while why := waited_for(command, source, environment, record, seconds):
            broken = [each.test for each in read(record).values() if each.outcome == "started"]
            write(record, [Outcome(test, FAILED, why) for test in broken or [file]])
            if not broken:
                break
        record.touch()
        record.replace(finished)
    return list(read(finished).values())


def begun_again(record: Path) -> None:
    """Without the test in which an earlier run was stopped."""
    if record.exists():
        kept = ended(read(record))
        record.unlink()
        write(record, kept)


def ended(outcomes: Mapping[str, Outcome]) -> list[Outcome]:
    return [each for each in outcomes.values() if each.outcome != "started"]


def write(record: Path, outcomes: Iterable[Outcome]) -> None:
    with record.open("a", encoding="utf-8") as lines:
        lines.writelines(json.dumps(asdict(each)) + "\n" for each in outcomes)


def waited_for(command: list[str], folder: Path, environment: dict[str, str], record: Path, seconds: float) -> str:
    """Why pytest did not come to its end; empty when it did.  Nothing it has started outlives it."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        begin, late = time.time(), False
        try:
            while process.poll() is None and not late:
                time.sleep(0.2)
                late = time.time() - max(begin, record.stat().st_mtime if record.exists() else 0) > seconds
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        code = process.wait()
        output.seek(0)
        last = [line for line in output.read().splitlines() if line.strip()][-1:]
    if late:
        return f"no end within {seconds:.0f} s"
    if code in (0, 1, 5) or (code == 2 and record.exists()):  # pytest's own: all well, some failed, none found, errors
        return ""
    died = f"died by {signal.Signals(-code).name}" if code < 0 else f"ended with {code}"
    return f"its process {died}: {''.join(last)}"[:LONGEST]


def read(record: Path) -> dict[str, Outcome]:
    """The worst that was told of each test."""
    outcomes: dict[str, Outcome] = {}
    for line in map(json.loads, record.read_text(encoding="utf-8").splitlines() if record.exists() else ()):
        new = Outcome(line["test"], line["outcome"], FOLDER.sub("…/", line["reason"])[:LONGEST])
        before = outcomes.get(new.test)
        if before is None or WORSE[new.outcome] > WORSE[before.outcome]:
            outcomes[new.test] = new
    return outcomes


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.suites", description=__doc__)
    parser.add_argument("library", choices=TESTS)
    parser.add_argument("tests", nargs="*", help="files and folders of its sources; all without them")
    parser.add_argument("-k", dest="chosen", metavar="EXPRESSION", help="as pytest's")
    parser.add_argument("--source", type=Path, metavar="FOLDER", help="its sources, where they need not be fetched")
    parser.add_argument("--test-seconds", type=float, default=TEST_SECONDS, help="what one test may take")
    parser.add_argument("--journal", type=Path, metavar="FOLDER", help="go on where a run with this folder was stopped")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep what was found, in JSON")
    options = parser.parse_intermixed_args()
    chosen = ["-k", options.chosen] if options.chosen else []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # who stops it gets what was found until then
    with tempfile.TemporaryDirectory() as folder:
        try:
            source = options.source or fetched(options.library, Path(folder))
            journal = options.journal or Path(folder) / "journal"
            found = run(source, options.tests or [TESTS[options.library]], journal, chosen, options.test_seconds)
        except NoSuiteError as error:
            print(error, file=sys.stderr)
            return 2
    print(f"\n{options.library} {version(options.library)}: {found}")
    if options.record:
        options.record.parent.mkdir(parents=True, exist_ok=True)
        record = found.record(options.library, described(options.source) if options.source else "PyPI")
        options.record.write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    return 0


def described(source: Path) -> str:
    """The commit of a clone, else the folder's name."""
    command = ["git", "-C", str(source), "log", "-1", "--format=%h of %cs"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout.strip() or source.resolve().name


if __name__ == "__main__":
    sys.exit(main())
