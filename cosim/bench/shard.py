"""One rank of the measurement of shared networks: run as ``python -m cosim.bench.shard N INDEGREE TICKS``.

Rank 0 prints one JSON object. Alone, the process runs the whole network without any exchange.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from typing import Any

from cosim.bench.circuits import STEPS, drawn_network
from cosim.mpi.world import World, world
from cosim.neural.choose import choose

#: ticks before the measurement: the first ones are not like the others (all start at random)
WARM_UP = 100


def peak() -> float:
    """The most memory that this process has had, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def measure(n: int, indegree: int, ticks: int, ranks: World | None) -> dict[str, Any]:
    """Seconds by part of `ticks` ticks of 1 ms, of the slowest rank where ranks differ; memory by rank."""
    clock = time.perf_counter
    make = choose("compiled", world=ranks)
    bare = peak()
    begin = clock()
    backend = make(drawn_network(n, indegree), STEPS)
    built = clock() - begin
    full = peak()
    for _ in range(WARM_UP):
        backend.advance()
    spikes = 0
    blocks = []
    for _ in range(10):
        begin = clock()
        for _ in range(ticks // 10):
            backend.advance()
            spikes += len(backend.spikes()[0])
        blocks.append((clock() - begin) / (ticks // 10))
    found: dict[str, Any] = {
        "ranks": 1, "tick": sorted(blocks)[len(blocks) // 2], "fastest": min(blocks), "build": built,
        "memory": [full], "bare": [bare], "rate": spikes / n / (ticks * 1e-3),
    }  # fmt: skip
    if ranks is not None:
        found |= _parts(backend, ticks, ranks)
        found["ranks"] = ranks.size
        found["build"] = max(ranks.comm.allgather(built))
        for key in ("memory", "bare"):
            found[key] = ranks.comm.allgather(found[key][0])
        ranks.alarm.done()
    backend.close()
    return found


def _parts(backend: Any, ticks: int, ranks: World) -> dict[str, Any]:
    """The parts of a tick, measured apart: every rank first waits for the others (s a tick, means over the ranks)."""
    exchange = backend.exchange
    before = backend.integrating, backend.gathering, exchange.seconds, exchange.merging, exchange.waiting
    sent = 0
    exchange.apart = True
    begin = time.perf_counter()
    for _ in range(ticks):
        backend.advance()
        sent += exchange.volume
    whole = time.perf_counter() - begin
    after = backend.integrating, backend.gathering, exchange.seconds, exchange.merging, exchange.waiting
    own = [(b - a) / ticks for a, b in zip(before, after, strict=True)]
    every = ranks.comm.allgather(own)
    names = ("integrating", "gathering", "exchanging", "merging", "waiting")
    parts: dict[str, Any] = {name: sum(one[k] for one in every) / len(every) for k, name in enumerate(names)}
    parts |= {"apart": whole / ticks, "by_rank": {name: [one[k] for one in every] for k, name in enumerate(names)}}
    parts["sent"] = ranks.comm.allgather(sent / ticks)
    parts["epoch"], parts["imbalance"] = backend.epoch, backend.partition.imbalance
    return parts


if __name__ == "__main__":
    ranks_ = world()
    n_, indegree_, ticks_ = (int(text) for text in sys.argv[1:4])
    result = measure(n_, indegree_, ticks_, ranks_)
    if ranks_ is None or ranks_.root:
        print(json.dumps(result))
