"""A network shared among ranks, as the lockstep sees it: one backend, of which every rank holds a part."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.mpi.exchange import NEVER, Exchange, Shard
from cosim.mpi.gather import Gather, Watched
from cosim.mpi.locality import local_rules
from cosim.mpi.partition import Partition, partition
from cosim.mpi.state import Layout, merge, split
from cosim.mpi.world import World
from cosim.neural.backend import NeuralBackend, Spikes
from cosim.neural.part import Part

F64 = NDArray[np.float64]


class ShardBackend(NeuralBackend, Shard, Protocol):
    """What a backend of one rank's part offers beyond NeuralBackend. Views are of the neurons that are here."""

    #: of the edges whose spikes are exchanged, in steps: the shortest delay (NEVER without edges) and the longest
    shortest_delay: int
    longest_delay: int

    def order(self, population: str, variable: str, neuron: int) -> tuple[int, int]:
        """What decides which of several values that are not finite is told."""

    def open(self, epoch: int, longest: int) -> None:
        """Get ready to run, with an exchange every `epoch` steps; the longest delay on any rank is `longest` steps."""

    def steps(self, n: int, *, begins: bool, ends: bool) -> None:
        """Integrate n steps, which begin or end a tick."""

    def layout(self) -> Layout:
        """How the arrays of a snapshot lie in those of the whole network."""


Make = Callable[[NetworkIR, int, Part], ShardBackend]


class ShardedBackend:
    """See NeuralBackend. All ranks make the same calls in the same order.

    `view` gives an array of the whole population, of which this rank's neurons count; `watch` one that is right on rank
    0 after every tick. `spikes` are those of all ranks on rank 0, and a rank's own elsewhere.
    """

    def __init__(self, network: NetworkIR, steps_per_tick: int, make: Make, world: World) -> None:
        from mpi4py import MPI

        self._world, self._comm, self._network, self._root = world, world.comm, network, world.root
        self.partition: Partition = partition(network, world.size)
        part = Part(self.partition.part(world.rank), frozenset(local_rules(network)))
        self._part = part
        self._inner = inner = together(world.comm, lambda: make(network, steps_per_tick, part))
        self.name, self.releases_gil, self.steps_per_tick = inner.name, inner.releases_gil, steps_per_tick
        self.library = inner.library
        self.exchange = Exchange(world.comm, inner, owners(network, self.partition))
        #: steps from one exchange to the next
        self.epoch = int(world.comm.allreduce(inner.shortest_delay, MPI.MIN))
        inner.open(self.epoch, int(world.comm.allreduce(inner.longest_delay, MPI.MAX)))
        self._left = self.epoch
        self._gather = Gather(world.comm, inner)
        self._inputs: dict[tuple[str, str], tuple[F64, F64]] = {}
        self._mirrors: dict[tuple[str, str], F64] = {}
        self._to_copy: list[tuple[F64, F64]] = []
        none = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        self._spikes: Spikes = none
        #: s spent integrating, and gathering spikes for rank 0
        self.integrating = self.gathering = 0.0

    # ------------------------------------------------------------ arrays

    def view(self, population: str, variable: str) -> F64:
        key = population, variable
        if key not in self._inputs:
            local = self._inner.view(population, variable)
            whole = np.zeros(self._network.populations[population].n)
            lo, hi = self._part.bounds[population]
            whole[lo:hi] = local
            self._inputs[key] = whole, whole[lo:hi]
            if hi > lo:
                self._to_copy.append((local, whole[lo:hi]))
        return self._inputs[key][0]

    def watch(self, population: str, variable: str) -> F64:
        key = population, variable
        if key not in self._mirrors:
            local = np.asarray(self._inner.view(population, variable))
            bounds = self.partition.bounds[population]
            mirror = np.zeros(self._network.populations[population].n)
            for rank, values in enumerate(self._comm.allgather(local.copy())):
                mirror[bounds[rank] : bounds[rank + 1]] = values
            self._mirrors[key] = mirror
            self._gather.watch(Watched(mirror, local, bounds))
        return self._mirrors[key]

    # ------------------------------------------------------------ running

    def run(self, n_ticks: int, on_tick: Callable[[int], bool]) -> int:
        for tick in range(n_ticks):
            if not on_tick(tick):
                return tick
            self.advance()
        return n_ticks

    def advance(self) -> None:
        if self._world.alarm.failure is not None:
            self._world.alarm.check()
        clock = time.perf_counter
        inner = self._inner
        for local, given in self._to_copy:
            local[:] = given
        left = self.steps_per_tick
        while left:
            n = min(left, self._left)
            mark = clock()
            inner.steps(n, begins=left == self.steps_per_tick, ends=left == n)
            self.integrating += clock() - mark
            left -= n
            self._left -= n
            if not self._left:
                self.exchange()
                self._left = self.epoch
        for local, given in self._to_copy:
            given[:] = local
        mark = clock()
        if self._root:
            self._spikes = self._gather.receive()
        else:
            self._gather.send()
            self._spikes = inner.spikes()
        self.gathering += clock() - mark

    def background(self) -> None:
        """The exchange needs Python."""
        return None

    def spikes(self) -> Spikes:
        return self._spikes

    # ------------------------------------------------------------ lesions

    def silence(self, population: str, ids: NDArray[np.int64]) -> None:
        self._inner.silence(population, ids)

    def cut(self, projection: str) -> None:
        self._inner.cut(projection)

    def transect(self, position: float) -> None:
        self._inner.transect(position)

    # ------------------------------------------------------------ state

    def check_finite(self) -> tuple[str, str, int] | None:
        found = self._inner.check_finite()
        if not self._world.collective:
            return found
        # the one that a single process would name
        ranks = self._comm.allgather(None if found is None else (self._inner.order(*found), found))
        return min((one for one in ranks if one is not None), default=((), None))[1]

    def state(self) -> dict[str, F64]:
        """On rank 0 of all neurons, elsewhere of its own. All ranks call this together."""
        own = self._inner.state()
        found = self._comm.gather(own, root=0)
        if found is None:
            return own
        return {key: np.concatenate([part[key] for part in found]) for key in own}

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """On rank 0 as of one process that holds the whole network, elsewhere empty. All ranks call this together."""
        self._flush()
        found = self._comm.gather((self._inner.snapshot(), self._inner.layout()), root=0)
        if found is None:
            return {}
        saved = merge(found, self.partition, self._network)
        saved["spikes/step"], saved["spikes/id"] = (part.copy() for part in self._spikes)
        return saved

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Rank 0 gives the snapshot, which may be of any number of ranks. All ranks call this together."""
        layouts = self._comm.gather(self._inner.layout(), root=0)
        parts = split(saved, layouts, self.partition, self._network) if layouts is not None else None
        self._inner.restore(self._comm.scatter(parts, root=0))
        if self._world.root:
            self._spikes = saved["spikes/step"], saved["spikes/id"]
        self._left = self.epoch
        for local, given in self._to_copy:
            given[:] = local

    def _flush(self) -> None:
        """Exchange what has not been exchanged yet: earlier than needed is always right."""
        if self._left < self.epoch:
            self.exchange()
            self._left = self.epoch

    def close(self) -> None:
        self._inner.close()


def together(comm: Any, make: Callable[[], ShardBackend]) -> ShardBackend:
    """What `make` gives on this rank. What one rank refuses with a UserError, all refuse."""
    made, problems = None, None
    try:
        made = make()
    except UserError as error:
        problems = error.problems
    for found in comm.allgather(problems):
        if found is not None:
            raise UserError(found)
    assert made is not None
    return made


def owners(network: NetworkIR, parts: Partition) -> NDArray[np.int32]:
    """The rank that owns each neuron, by global id."""
    owner = np.empty(network.n, dtype=np.int32)
    for name, bounds in parts.bounds.items():
        population = network.populations[name]
        owner[population.first : population.last] = np.repeat(np.arange(parts.ranks), np.diff(bounds))
    return owner


__all__ = ["NEVER", "ShardBackend", "ShardedBackend", "owners"]
