"""Runs a set of examples: those whose cached run still holds are taken from there, the others executed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine import forked
from engine.cache import Cache, digest_of, key_facts
from engine.example import Example
from engine.golden import Golden
from engine.judgement import judged
from engine.record import CellRecord
from engine.run import Limits, Run
from engine.surroundings import Surroundings

GOLDEN = Path(__file__).parents[1] / "golden"


def say(line: str) -> None:
    """Print at once, also where output goes into a file."""
    print(line, flush=True)


@dataclass
class Session:
    """One pass over the examples of a build."""

    cache: Cache
    surroundings: Surroundings = field(default_factory=Surroundings.here)
    limits: Limits = field(default_factory=Limits)
    golden: Golden = field(default_factory=lambda: Golden(GOLDEN))
    jobs: int = min(2, os.cpu_count() or 1)
    tell: Callable[[str], None] = say
    """Hears of progress, a line at a time."""

    def run(self, examples: Sequence[Example]) -> dict[str, Run]:
        """The run of every example by name.  One that ends badly neither stops the others nor raises."""
        runs = self.cached(examples)
        stale = [example for example in examples if example.name not in runs]
        if stale:
            forked.start_server()
            # The longest first, so that none of them is left for the end; those never run before all others, by size.
            stale.sort(key=lambda each: self.cache.seconds_before(each) or len(each.text), reverse=True)
            runs |= self._execute(stale)
        return runs

    def cached(self, examples: Sequence[Example]) -> dict[str, Run]:
        """Of the examples whose kept run still holds and still passes judgement, that run."""
        runs = {}
        for example in examples:
            run = self.cache.load(example, digest_of(key_facts(example, self.surroundings)))
            if run and judged(run, self.golden).record.succeeded:
                runs[example.name] = run
        return runs

    def _execute(self, examples: Sequence[Example]) -> dict[str, Run]:
        from engine import pool  # not above: a build that executes nothing needs nothing of what executes

        def done(run: Run, ended: int) -> None:
            self.tell(f"{_summary(run)} [{ended} of {len(examples)}]")

        return pool.run(examples, self.jobs, self._execute_one, done)

    async def _execute_one(self, example: Example) -> Run:
        def told(cell: CellRecord) -> None:
            self.tell(f"{example.name}: {cell.name} {cell.outcome} in {cell.seconds:.1f} s")

        from engine.execution import execute

        facts = key_facts(example, self.surroundings)  # before the run: an edit meanwhile belongs to the next
        run = judged(await execute(example, self.surroundings, digest_of(facts), self.limits, told), self.golden)
        if run.record.succeeded:
            try:
                self.cache.save(example, run, facts)
            except OSError as error:
                self.tell(f"{example.name}: its run could not be kept and will be repeated ({error})")
        return run


def _summary(run: Run) -> str:
    failure = run.record.failure
    if failure is None:
        return f"{run.record.example}: {len(run.record.cells)} cells in {run.record.seconds:.1f} s"
    return f"{run.record.example}: {failure.outcome} in cell {failure.name!r}"


def failure_message(run: Run, example: Path) -> str:
    """``file:line`` of what failed, the error, and the trimmed traceback; empty for a run that succeeded."""
    failure = run.record.failure
    if failure is None:
        return ""
    where = f"{example}:{failure.error_line or failure.line}"
    lines = [f"{where}: cell {failure.name!r} {failure.outcome}: {failure.error}"]
    lines += failure.traceback.splitlines()[-12:]
    last = _last_output(run, failure.name)
    lines += [f"its last output: {last}"] if last else []
    return "\n    ".join(lines)


def _last_output(run: Run, cell_name: str) -> str:
    cell = next(cell for cell in run.notebook.cells if cell.metadata.get("title") == cell_name)
    printed = "".join(output.get("text", "") for output in cell.get("outputs", []))
    return printed.rstrip().rpartition("\n")[2][-200:]
