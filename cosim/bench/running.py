"""What one rank of a measurement runs: a network by itself, one rank of many, or an experiment in closed loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from cosim.bench.circuits import STEPS, drawn_network
from cosim.bench.lone import LoneRank
from cosim.mpi.backend import ShardedBackend
from cosim.mpi.world import World
from cosim.neural.backend import NeuralBackend
from cosim.neural.choose import choose

#: parts of a tick of a shared network, as its counters name them
PARTS = ("integrating", "exchanging", "merging", "waiting", "gathering")


class Running(Protocol):
    """What is measured. `facts` are told once it is built; `shared` is the backend of several ranks."""

    facts: dict[str, Any]
    shared: ShardedBackend | None

    def advance(self, ticks: int, each: Callable[[], None] | None) -> int:
        """Go some ticks, `each` is called after every one; returns the number of spikes (on rank 0, of all)."""

    def counters(self) -> dict[str, float]:
        """All that is counted since the beginning: s by part, and numbers."""

    def close(self) -> None:
        """Release everything."""


class Network:
    """A network by itself."""

    def __init__(self, n: int, indegree: int, edges: bool, ranks: World | None) -> None:
        said: list[str] = []
        self.backend = choose("compiled", say=said.append, world=ranks)(drawn_network(n, indegree, edges=edges), STEPS)
        self.facts = {"compiled": bool(said), "neurons": n}
        self.shared = _shared(self.backend)

    def advance(self, ticks: int, each: Callable[[], None] | None) -> int:
        """See Running."""
        backend, spikes = self.backend, 0
        for _ in range(ticks):
            backend.advance()
            spikes += len(backend.spikes()[0])
            if each is not None:
                each()
        return spikes

    def counters(self) -> dict[str, float]:
        """See Running."""
        return _counters(self.shared)

    def close(self) -> None:
        """See Running."""
        self.backend.close()


class Lone:
    """One rank of many."""

    shared: ShardedBackend | None = None

    def __init__(self, n: int, indegree: int, ranks: int, rate: float) -> None:
        self._rank = LoneRank(n, indegree, ranks, rate)
        self.facts = {"neurons": n}

    def advance(self, ticks: int, each: Callable[[], None] | None) -> int:
        """See Running."""
        return sum(self._rank.advance() for _ in range(ticks))

    def counters(self) -> dict[str, float]:
        """See Running."""
        return {**self._rank.seconds, "arrived": self._rank.arrived, "sent": self._rank.sent}

    def close(self) -> None:
        """See Running."""
        self._rank.close()


class Loop:
    """An experiment in closed loop, recorded as it says."""

    def __init__(self, name: str, folder: Path) -> None:
        from cosim.api import Simulation, load

        said: list[str] = []
        self._simulation = Simulation(
            load(name), seed=None, out=folder / "result", backend="compiled", force=False, say=said.append
        )
        self._lockstep = lockstep = self._simulation.lockstep
        assert lockstep.backend is not None and lockstep.network is not None
        self.backend = lockstep.backend
        self.shared = _shared(self.backend)
        self.facts = {"compiled": bool(said), "neurons": lockstep.network.n, "tick": lockstep.clock.tick}

    def advance(self, ticks: int, each: Callable[[], None] | None) -> int:
        """See Running."""
        spikes = 0

        def count(_: int) -> None:
            nonlocal spikes
            spikes += len(self.backend.spikes()[0])
            if each is not None:
                each()

        self._lockstep.on_progress = count
        self._simulation.step(ticks)
        return spikes

    def counters(self) -> dict[str, float]:
        """See Running."""
        return {**asdict(self._lockstep.timings), **_counters(self.shared)}

    def close(self) -> None:
        """See Running."""
        self._simulation.close()


def block(running: Running, ticks: int, apart: bool, ranks: World | None) -> dict[str, Any]:
    """Some ticks: seconds, spikes, and the counters' growth a tick: means over the ranks, and by rank.

    `apart`: before every exchange all ranks wait for each other, so that waiting is a part by itself, and the spikes
    that are `sent` are counted (a tick, by rank). All ranks call this together.
    """
    shared, sent = running.shared, 0

    def count() -> None:
        nonlocal sent
        assert shared is not None
        sent += shared.exchange.volume

    if ranks is not None:
        ranks.comm.Barrier()
    before = running.counters()
    if shared is not None:
        shared.exchange.apart = apart
    begin = time.perf_counter()
    spikes = running.advance(ticks, count if apart and shared is not None else None)
    seconds = time.perf_counter() - begin
    own = {name: (value - before[name]) / ticks for name, value in running.counters().items()}
    found: dict[str, Any] = {"seconds": seconds, "ticks": ticks, "spikes": spikes}
    every = [own] if ranks is None else ranks.comm.allgather(own)
    found["by_rank"] = {name: [one[name] for one in every] for name in own}
    found["parts"] = {name: sum(values) / len(values) for name, values in found["by_rank"].items()}
    found["sent"] = [sent / ticks] if ranks is None else ranks.comm.allgather(sent / ticks)
    return found


def _shared(backend: NeuralBackend) -> ShardedBackend | None:
    return backend if isinstance(backend, ShardedBackend) else None


def _counters(shared: ShardedBackend | None) -> dict[str, float]:
    """What a shared network counts, s; nothing of a network of one process."""
    if shared is None:
        return {}
    exchange = shared.exchange
    numbers = (shared.integrating, exchange.seconds, exchange.merging, exchange.waiting, shared.gathering)
    return dict(zip(PARTS, numbers, strict=True))
