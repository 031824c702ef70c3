"""Runs a set of examples: those whose cached run still holds are taken from there, the others executed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.cache import Cache, digest_of, key_facts, rehearsal_facts
from engine.judgement import judged
from engine.kernel import forked
from engine.place.surroundings import Surroundings, on_silicon
from engine.shards import recorded
from engine.values.example import Example
from engine.values.golden import Golden
from engine.values.record import CellRecord
from engine.values.rehearsal import Rehearsal, Rehearsed
from engine.values.run import Limits, Run

if TYPE_CHECKING:
    import asyncio

    from engine.pool import Room
    from engine.rehearser import Rehearser

GOLDEN = Path(__file__).parents[1] / "golden"


def cores() -> int:
    """How many processors this process may use: ``taskset`` and containers leave some of the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def say(line: str) -> None:
    """Print at once, also where output goes into a file."""
    print(line, flush=True)


@dataclass(frozen=True)
class Results:
    """Of one pass over the examples, by file name."""

    runs: dict[str, Run] = field(default_factory=dict)
    rehearsed: dict[str, dict[int, Rehearsed]] = field(default_factory=dict)
    """Then by number of cards."""

    def seconds(self, name: str) -> float:
        """How long the example took, its rehearsals included."""
        return self.runs[name].record.seconds + sum(each.seconds for each in self.rehearsed.get(name, {}).values())


@dataclass(frozen=True)
class Job:
    """One rehearsal on one number of cards, and all that can change what comes of it."""

    rehearsal: Rehearsal
    cards: int
    facts: Mapping[str, Any]

    @property
    def example(self) -> Example:
        return self.rehearsal.example


@dataclass
class Session:
    """One pass over the examples of a build."""

    cache: Cache
    surroundings: Surroundings = field(default_factory=Surroundings.here)
    limits: Limits = field(default_factory=Limits)
    limits_of: Mapping[str, Limits] = field(default_factory=dict)
    """Of examples that have their own, by name."""
    golden: Golden = field(default_factory=lambda: Golden(GOLDEN))
    jobs: int = field(default_factory=lambda: 1 if on_silicon() else min(2, cores()))
    """How many examples at a time; on a card one has the memory for itself."""
    tell: Callable[[str], None] = say
    """Hears of progress, a line at a time."""

    def run(self, examples: Sequence[Example]) -> dict[str, Run]:
        """The run of every example by name.  One that ends badly neither stops the others nor raises."""
        return self.run_all(examples).runs

    def run_all(self, examples: Sequence[Example], rehearsals: Sequence[Rehearsal] = ()) -> Results:
        """The run of every example, and of every rehearsal what came of it, where this can be found out here.

        One that ends badly neither stops the others nor raises.
        """
        results = self.cached(examples, rehearsals)
        if not any(self._missing(results, examples, rehearsals)):
            return results
        with self.cache.alone(lambda: self.tell("another build executes examples; this one waits for what it makes")):
            return self._completed(self.cached(examples, rehearsals), examples, rehearsals)

    def _missing(
        self, results: Results, examples: Sequence[Example], rehearsals: Sequence[Rehearsal]
    ) -> tuple[list[Example], list[Job]]:
        stale = [example for example in examples if example.name not in results.runs]
        known = results.rehearsed
        return stale, [job for job in self._jobs(rehearsals) if job.cards not in known.get(job.example.name, {})]

    def _completed(self, results: Results, examples: Sequence[Example], rehearsals: Sequence[Rehearsal]) -> Results:
        """With what is missing executed."""
        stale, jobs = self._missing(results, examples, rehearsals)
        if stale:
            forked.start_server(
                self.surroundings.environment, any(each.needs_libraries or each.starts_programs for each in stale)
            )
            took = recorded()  # the longest first, so that none of them is left for the end; of others the larger
            stale.sort(key=lambda each: (took.get(each.name, 0), len(each.text)), reverse=True)
        if stale or jobs:
            import asyncio  # not above: a build that executes nothing needs nothing of what executes

            runs, rehearsed = asyncio.run(self._execute(stale, jobs))
            results.runs.update(runs)
            for each in rehearsed:
                results.rehearsed.setdefault(each.example, {})[each.cards] = each
        return results

    def cached(self, examples: Sequence[Example], rehearsals: Sequence[Rehearsal] = ()) -> Results:
        """What is kept and still holds; of runs only those that still pass judgement."""
        results = Results()
        for example in examples:
            run = self.cache.load(example, digest_of(key_facts(example, self.surroundings)))
            if run and judged(run, self.golden).record.succeeded:
                results.runs[example.name] = run
        for job in self._jobs(rehearsals):
            if rehearsed := self.cache.load_rehearsed(job.example, job.cards, digest_of(job.facts)):
                results.rehearsed.setdefault(job.example.name, {})[job.cards] = rehearsed
        return results

    def _jobs(self, rehearsals: Sequence[Rehearsal]) -> list[Job]:
        """Every rehearsal on every number of cards; none where nothing can be rehearsed."""
        if not self.surroundings.rehearsal:
            return []
        return [
            Job(each, cards, rehearsal_facts(each, cards, self.surroundings))
            for each in rehearsals
            for cards in each.cards
        ]

    async def _execute(
        self, examples: Sequence[Example], jobs: Sequence[Job]
    ) -> tuple[dict[str, Run], list[Rehearsed]]:
        import asyncio

        from engine import pool

        ended = 0

        def done(run: Run) -> None:
            nonlocal ended
            ended += 1
            self.tell(f"{_summary(run)} [{ended} of {len(examples)}]")

        gate = asyncio.Semaphore(self.jobs)
        room = pool.Room()
        rehearsing = asyncio.create_task(self._rehearse(jobs, gate, room))
        await asyncio.sleep(0)  # it begins first
        tasks = {example.name: partial(self._execute_one, example) for example in examples}
        return await pool.run(tasks, gate, room, done), await rehearsing

    async def _rehearse(self, jobs: Sequence[Job], gate: asyncio.Semaphore, room: Room) -> list[Rehearsed]:
        """One after the other, while the examples run beside it."""
        if not jobs or not self.surroundings.rehearsal:
            return []
        from engine.rehearser import Rehearser

        rehearser = Rehearser(self.surroundings.rehearsal["command"], self.limits)
        rehearsed = []
        async with gate:
            try:
                for job in jobs:
                    async with room.for_one_more():
                        rehearsed.append(await self._rehearse_one(rehearser, job))
            finally:
                await rehearser.close()
        return rehearsed

    async def _rehearse_one(self, rehearser: Rehearser, job: Job) -> Rehearsed:
        started, begin = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        found = await rehearser.rehearse(job.rehearsal.rehearsed, job.cards, job.rehearsal.processes(job.cards))
        if found.stop:
            found = replace(found, stop=replace(found.stop, line=job.rehearsal.line_of(found.stop.line)))
        seconds = round(time.monotonic() - begin, 2)
        rehearsed = Rehearsed(job.example.name, job.cards, digest_of(job.facts), started, seconds, found)
        self.tell(str(rehearsed))
        if found.answers:
            self._keep(job.example, partial(self.cache.save_rehearsed, rehearsed, job.facts))
        return rehearsed

    async def _execute_one(self, example: Example) -> Run:
        def told(cell: CellRecord) -> None:
            self.tell(f"{example.name}: {cell.name} {cell.outcome} in {cell.seconds:.1f} s")

        from engine.kernel.execution import execute

        limits = self.limits_of.get(example.name, self.limits)
        facts = key_facts(example, self.surroundings)  # before the run: an edit meanwhile belongs to the next
        run = judged(await execute(example, self.surroundings, digest_of(facts), limits, told), self.golden)
        if run.record.succeeded:
            self._keep(example, partial(self.cache.save, example, run, facts))
        return run

    def _keep(self, example: Example, save: Callable[[], None]) -> None:
        try:
            save()
        except OSError as error:
            self.tell(f"{example.name}: its run could not be kept and will be repeated ({error})")


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
