"""The contest: every contestant builds its project cold, unchanged, after an edit of prose and after one of code."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.contestants import COLD, EXAMPLE, PROSE, UNCHANGED, Contestant
from benchmarks.measure import CommandFailed, Cost, environment_of, measure
from benchmarks.project import Page
from benchmarks.rows import Row

STEPS_ZH = {COLD: "冷构建", UNCHANGED: "没有改动的构建", PROSE: "改一句正文", EXAMPLE: "改一个例子"}
STEPS_EN = {
    COLD: "cold build",
    UNCHANGED: "unchanged build",
    PROSE: "one sentence edited",
    EXAMPLE: "one example edited",
}
TITLES_ZH = {"this guide": "本指南", "Sphinx, no execution": "Sphinx，不执行"}
TORCH = "torch._C"  # within torch: Python does not time what importlib.import_module itself is asked for
MEBIBYTE = 1 << 20


@dataclass
class Contest:
    """Builds in ``folder``, one folder for each contestant; what it cost is collected."""

    folder: Path
    pages: Sequence[Page]
    environment: Mapping[str, str]
    costs: dict[tuple[str, str], list[Cost]] = field(default_factory=lambda: defaultdict(list))
    """By contestant and step."""
    crashes: Counter[str] = field(default_factory=Counter)
    """By contestant."""

    def run(self, contestants: Sequence[Contestant], rounds: int) -> None:
        """All contestants in turn, so that whatever slows the machine down slows down each of them."""
        for number in range(rounds):
            for contestant in contestants:
                if number < contestant.rounds:
                    self.take_part(contestant)

    def take_part(self, contestant: Contestant) -> None:
        """From an empty folder through all steps; what crashes begins again as often as it may, or is left out."""
        for _ in range(contestant.tries):
            try:
                measured = self._steps(contestant)
            except CommandFailed as error:
                self.crashes[contestant.name] += 1
                if contestant.tries == 1:
                    raise
                print(f"  {contestant.title}: crashed ({str(error).rstrip().rpartition(os.linesep)[2]})", flush=True)
            else:
                for step, cost in measured:
                    self.costs[contestant.name, step].append(cost)
                return

    def _steps(self, contestant: Contestant) -> list[tuple[str, Cost]]:
        folder = self.folder / contestant.name
        shutil.rmtree(folder, ignore_errors=True)
        measured = []
        for step in contestant.steps:
            contestant.write(folder, edited(self.pages, step))
            cost = measure(contestant.command, folder, {**self.environment, **contestant.environment})
            measured.append((step, cost))
            print(f"  {contestant.title}: {STEPS_EN[step]} {cost.seconds:.1f} s", flush=True)
        return measured

    def rows(self, contestants: Sequence[Contestant]) -> list[Row]:
        """Seconds of each step, executions of the later ones, memory of the cold ones."""
        rows = []
        for step in STEPS_EN:
            for contestant in contestants:
                if costs := self.costs[contestant.name, step]:
                    seconds = tuple(round(cost.seconds, 2) for cost in costs)
                    rows.append(_row(contestant, step, "", seconds, "s"))
                    if step in (PROSE, EXAMPLE):
                        executions = tuple(cost.executions for cost in costs)
                        rows.append(_row(contestant, step, "executions", executions, ""))
        for contestant in contestants:
            if costs := self.costs[contestant.name, COLD]:
                memory = tuple(round(cost.peak_bytes / MEBIBYTE) for cost in costs)
                zh, en = (
                    f"内存峰值（PSS，含子进程）：{title_zh(contestant)}",
                    f"peak memory (PSS, children included): {contestant.title}",
                )
                rows.append(Row(f"memory/{contestant.name}", zh, en, memory, "MiB"))
        for contestant in contestants:
            if crashes := self.crashes[contestant.name]:
                zh, en = f"崩溃的构建：{title_zh(contestant)}", f"builds that crashed: {contestant.title}"
                rows.append(Row(f"crashes/{contestant.name}", zh, en, (crashes,), ""))
        return rows


def _row(contestant: Contestant, step: str, what: str, values: tuple[float, ...], unit: str) -> Row:
    zh, en = f"{STEPS_ZH[step]}：{title_zh(contestant)}", f"{STEPS_EN[step]}: {contestant.title}"
    if what:
        return Row(f"{step}/{contestant.name}/{what}", f"{zh}，执行的例子", f"{en}, examples executed", values, unit)
    return Row(f"{step}/{contestant.name}", zh, en, values, unit)


def title_zh(contestant: Contestant) -> str:
    return TITLES_ZH.get(contestant.title, contestant.title)


def edited(pages: Sequence[Page], step: str) -> list[Page]:
    """The project at a step: each edit is one more change of the first page."""
    first = pages[0]
    if step in (PROSE, EXAMPLE):
        first = replace(first, prose="Now comes")
    if step == EXAMPLE:
        first = replace(first, seed=first.seed + 1000)
    return [first, *pages[1:]]


def imported(contestant: Contestant, folder: Path, environment: Mapping[str, str]) -> Counter[str]:
    """How many processes of a build import each module; Python itself tells, on their standard error."""
    told = {**environment_of(environment), "PYTHONPROFILEIMPORTTIME": "1"}
    built = subprocess.run(contestant.command, cwd=folder, env=told, capture_output=True, text=True, check=True)
    return Counter(line.rpartition("|")[2].strip() for line in built.stderr.splitlines())
