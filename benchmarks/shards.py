"""How evenly the shards of ``engine run --shard`` divide the examples, computed from how long each took.

No machine is needed for it: :func:`engine.shards.divided` decides before anything runs, from the same recorded seconds.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Sequence

from benchmarks.rows import Row
from engine.shards import divided, recorded

MACHINES = (2, 4, 8)
EXAMPLES = (42, 200, 1000)
WORKERS = 2  # that each machine executes at a time


def rows() -> list[Row]:
    """One for each number of machines and of examples."""
    return [
        Row(
            f"shards/{machines}/{count}",
            f"{machines} 台机器分 {count:,} 个例子：比理想的分法多费的时间",
            f"{machines} machines, {count:,} examples: time above an ideal division",
            (round(100 * (1 - share_of_ideal(machines, count)), 1),),
            "%",
        )
        for machines in MACHINES
        for count in EXAMPLES
    ]


def share_of_ideal(machines: int, count: int) -> float:
    """1 when all work is spread evenly; but no example ends sooner than it takes."""
    known = list(recorded().values())
    times = known[:count] + random.Random(count).choices(known, k=max(0, count - len(known)))
    seconds = {f"{number}.py": took for number, took in enumerate(times)}
    took = max(lasting([seconds[name] for name in share], WORKERS) for share in divided(seconds, machines))
    return max(sum(times) / (machines * WORKERS), *times) / took


def lasting(seconds: Sequence[float], workers: int) -> float:
    """How long it takes so many workers, the longest first."""
    busy = [0.0] * workers
    for each in sorted(seconds, reverse=True):
        heapq.heappushpop(busy, busy[0] + each)
    return max(busy)
