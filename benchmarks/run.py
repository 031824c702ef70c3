"""A whole run: the contest, growth, and the parts, put together as rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import contestants, paired, peers, shards
from benchmarks.builds import TORCH, Contest, imported
from benchmarks.project import pages
from benchmarks.rows import Results, Row, this_machine, versions
from standins.__main__ import provided

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build/html"

PART_ROWS = {  # Chinese, English, unit
    "import/python": ("启动：Python", "starting: Python", "s"),
    "import/sphinx": ("启动：Python 并导入 Sphinx", "starting: Python, Sphinx imported", "s"),
    "import/myst-nb": ("启动：Python 并导入 Sphinx 和 MyST-NB", "starting: Python, Sphinx and MyST-NB imported", "s"),
    "import/guide": (
        "启动：同上，MyST-NB 不带执行器（本指南）",
        "starting: the same, MyST-NB without its executors (this guide)",
        "s",
    ),
    "import/memory": ("内核要导入的库所占的内存，一份", "memory of what kernels import, one copy", "MiB"),
    "cell/guide": ("什么也不做的一格：本指南", "a cell that does nothing: this guide", "ms"),
    "cell/nbclient": ("什么也不做的一格：nbclient", "a cell that does nothing: nbclient", "ms"),
    "fault/limit": ("死循环：超过时限后多久报告", "an endless cell: reported so long after its limit", "s"),
    "fault/killed": ("内核被杀：多久报告", "a killed kernel: reported after", "s"),
    "manifest": (
        "一个例子会得到什么（环境变量、包、设备）和全部缓存键：一次",
        "what an example is given (variables, packages, device), and all keys: once",
        "s",
    ),
    "judgement": ("缓存键、记录、密钥扫描、数字核对：一次", "keys, records, secret scan, recorded numbers: once", "s"),
    "step/cpu": ("训练一步：CPU", "training step: CPU", "ms"),
    "step/npu": ("训练一步：虚拟 NPU", "training step: virtual NPU", "ms"),
    "hub/question": ("回环模型仓库回答一次", "the loopback hub answers once", "ms"),
    "hub/download": ("下载权重：回环模型仓库", "downloading weights: the loopback hub", "MiB/s"),
    "hub/copy": ("下载权重：直接拷贝", "downloading weights: a plain copy", "MiB/s"),
    "map/guide": ("分词：例子的 dataset.map", "tokenizing: dataset.map as in the examples", "tokens/s"),
    "map/loop": ("分词：直接循环", "tokenizing: a bare loop", "tokens/s"),
    "train/guide": ("训练：例子的 Trainer", "training: Trainer as in the examples", "steps/s"),
    "train/loop": ("训练：直接循环", "training: a bare loop", "steps/s"),
    "site/size": ("网站的大小", "size of the site", "MiB"),
    "site/page": (
        "一页的重量（含样式、脚本、图，未压缩）",
        "weight of a page (styles, scripts, pictures; not compressed)",
        "KiB",
    ),
    "site/heaviest": ("最重的一页", "the heaviest page", "KiB"),
    "rehearsal/executed": ("本指南的例子：运行", "the guide's examples: executed", "s"),
    "rehearsal/rehearsed": ("本指南的例子：演算", "the guide's examples: rehearsed", "s"),
    "rehearsal/share": ("演算比只运行多用的时间", "rehearsing: time added to that of executing", "%"),
    "sets/check": ("一组版本：查明没有什么要重跑", "a set of versions: finding that nothing has to run again", "s"),
    "sets/again": ("一组版本：改一个例子，重跑的例子", "a set of versions: one example edited, examples run again", ""),
    "site/search": ("搜索，从打开到出结果", "search, from opening to results", "ms"),
}


@dataclass(frozen=True)
class Plan:
    """How much is measured; the default fits into a quarter of an hour on two cores."""

    examples: int = 8
    rounds: int = 3
    growth: tuple[int, int, int] = (8, 32, 128)
    growth_rounds: int = 6
    """Of the first two; what is extrapolated from needs to be known better."""
    peers: bool = True
    cells: int = 210
    map_rows: int = 5000
    train_steps: int = 15
    npu_steps: int = 5
    site: Path = SITE
    """Where it is not built, the pages of the contest are looked at instead."""


QUICK = Plan(
    examples=1,
    rounds=1,
    growth=(1, 2, 3),
    growth_rounds=1,
    peers=False,
    cells=20,
    map_rows=200,
    train_steps=1,
    npu_steps=1,
)


def run(plan: Plan, folder: Path) -> Results:
    """Measure everything, in a folder that may be thrown away."""
    started, begin = datetime.now(UTC), time.monotonic()
    machine = this_machine()
    python = peers.environment(folder / "venv") if plan.peers else None
    with plain_cpu() as environment:
        rows = [*contest(plan, folder, environment, python), *growth(plan, folder, environment)]
        rows += parts(plan, folder, environment, cold=next(row for row in rows if row.name == "cold/guide").value)
    rows += [*shards.rows(), *paired.rows()]
    return Results(
        started.isoformat(timespec="seconds"), round(time.monotonic() - begin), machine, versions(), tuple(rows)
    )


@contextmanager
def plain_cpu() -> Iterator[Mapping[str, str]]:
    """Environment variables that lead to the hubs; the device is the CPU, which every contestant can use."""
    with ExitStack() as stack:
        with chosen_device("off"):
            provision = stack.enter_context(provided())
        yield provision.applied(os.environ)


@contextmanager
def chosen_device(choice: str) -> Iterator[None]:
    """As with ``NPU=off`` before the command."""
    own = os.environ.pop("NPU", None)
    os.environ["NPU"] = choice
    try:
        yield
    finally:
        del os.environ["NPU"]
        if own is not None:
            os.environ["NPU"] = own


def contest(plan: Plan, folder: Path, environment: Mapping[str, str], python: Path | None) -> list[Row]:
    say(f"{plan.examples} examples, {plan.rounds} rounds")
    guide = contestants.guide()
    all_of_them = [guide, contestants.without_code(), *(contestants.peers(python) if python else [])]
    builds = Contest(folder / "contest", pages(plan.examples), environment)
    builds.run(all_of_them, plan.rounds)
    imports = imported(guide, builds.folder / guide.name, environment)[TORCH]
    zh, en = "没有改动的构建：导入 torch 的进程", "unchanged build: processes that import torch"
    return [*builds.rows(all_of_them), Row("unchanged/torch", zh, en, (imports,), "")]


def growth(plan: Plan, folder: Path, environment: Mapping[str, str]) -> list[Row]:
    """Cold builds of more and more examples that do nothing."""
    guide = contestants.guide(steps=(contestants.COLD,))
    contests = {
        count: Contest(folder / "growth" / str(count), pages(count, ["trivial"]), environment) for count in plan.growth
    }
    for number in range(plan.growth_rounds):
        for count, builds in contests.items():
            if number < plan.rounds or count != plan.growth[2]:
                say(f"{count} examples that do nothing")
                builds.run([guide], rounds=1)
    rows = []
    for count, builds in contests.items():
        seconds = tuple(round(cost.seconds, 2) for cost in builds.costs[guide.name, contestants.COLD])
        zh, en = f"{count} 个什么也不做的例子", f"{count} examples that do nothing"
        rows.append(Row(f"growth/{count}", zh, en, seconds, "s"))
    excess = round(100 * (rows[2].value / predicted(plan.growth, [row.value for row in rows[:2]]) - 1), 1)
    zh = f"{plan.growth[2]} 个例子比“导入一次 + 工作量/核数”多用的时间"
    en = f"{plan.growth[2]} examples: time above one import + work/cores"
    return [*rows, Row("growth/deviation", zh, en, (excess,), "%")]


def predicted(counts: tuple[int, int, int], seconds: list[float]) -> float:
    """Time for the last count when each example adds as much as between the first two."""
    each = (seconds[1] - seconds[0]) / (counts[1] - counts[0])
    return seconds[0] + each * (counts[2] - counts[0])


def parts(plan: Plan, folder: Path, environment: Mapping[str, str], cold: float) -> list[Row]:
    guide = folder / "contest/guide"
    site = plan.site if (plan.site / "index.html").exists() else guide / "site"
    rounds = plan.rounds
    found = {
        **part("imports", environment, rounds),
        **part("cells", environment, rounds, plan.cells),
        **part("faults", environment, rounds),
        **part("judgement", environment, rounds, guide),
        **part("hub", environment, rounds),
        **part("teaching", environment, rounds, plan.map_rows, plan.train_steps),
        **part("site", environment, site),
        **npu_steps(rounds, plan.npu_steps),
        **kept_runs(rounds),
    }
    rows = [
        Row(name, *PART_ROWS[name][:2], tuple(found[name]), PART_ROWS[name][2]) for name in PART_ROWS if found.get(name)
    ]
    return list(with_shares(rows, cold))


def with_shares(rows: Iterable[Row], cold: float) -> Iterator[Row]:
    """Behind each row of what is done beside executing and rendering, its share of a cold build."""
    for row in rows:
        yield row
        if row.name in ("manifest", "judgement"):
            share = tuple(round(100 * seconds / cold, 2) for seconds in row.values)
            zh, en = (
                f"{row.zh.rpartition('：')[0]}：占冷构建的比例",
                f"{row.en.rpartition(':')[0]}: share of a cold build",
            )
            yield Row(f"{row.name}/share", zh, en, share, "%")


def part(name: str, environment: Mapping[str, str], *arguments: object) -> dict[str, list[float]]:
    """What ``python -m benchmarks.parts.NAME`` measures."""
    say(name)
    command = [sys.executable, "-m", f"benchmarks.parts.{name}", *map(str, arguments)]
    return output_of(command, {**os.environ, **environment})


def npu_steps(rounds: int, steps: int) -> dict[str, list[float]]:
    """Its two processes see the two devices; nothing where there is no virtual NPU."""
    say("virtual NPU")
    command = [sys.executable, "benchmarks/npu_step.py", "--json", "--rounds", str(rounds), "--steps", str(steps)]
    return output_of(command, os.environ)


def kept_runs(rounds: int) -> dict[str, list[float]]:
    """Of the guide itself, among its own stand-ins; nothing where it was not built."""
    say("runs that are kept")
    command = [sys.executable, "-m", "standins", sys.executable, "-m", "benchmarks.parts.kept", str(rounds)]
    return output_of(command, os.environ)


def output_of(command: list[str], environment: Mapping[str, str]) -> dict[str, list[float]]:
    done = subprocess.run(command, cwd=ROOT, env=dict(environment), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit status {done.returncode}\n{done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def say(what: str) -> None:
    print(f"{what} ...", flush=True)
