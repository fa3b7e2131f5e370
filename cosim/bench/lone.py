"""One rank of many, by itself: what it computes takes as long as among the others, but nobody else is there.

Its neurons and edges are those that it would have, drawn as always. The spikes that reach it are random ones of all
neurons at a given rate, with its own among them, and the spikes that it sends go to as many ranks as they would on
average, and are dropped. As rank 0 it also gathers every rank's spikes, from messages that it sent to itself. So
computation on 64 or 1 024 ranks is measured on one core; the network between them is not.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bench.circuits import CELLS, SEED, STEPS, drawn_network
from cosim.bench.scaling import Shape
from cosim.mpi.compiled import CompiledShard
from cosim.mpi.exchange import pack
from cosim.mpi.gather import Gather
from cosim.mpi.partition import partition
from cosim.neural.part import Part

I64 = NDArray[np.int64]


class LoneRank:
    """The first of `ranks` ranks that share the random network; `rate` (Hz) of the neurons whose spikes reach it.

    `seconds` by part: integrating (with delivery), writing (messages), merging (messages into queues), gathering (what
    rank 0 alone does). `arrived` and `sent` count spikes.
    """

    def __init__(self, n: int, indegree: int, ranks: int, rate: float) -> None:
        network = drawn_network(n, indegree)
        bounds = partition(network, ranks)
        self._shard = shard = CompiledShard(network, STEPS, Part(bounds.part(0)))
        assert shard.shortest_delay == STEPS  # a tick is an epoch
        shard.open(STEPS, shard.longest_delay)
        self._n, self._rate = n, rate
        self._random = np.random.default_rng(SEED)
        self._owner = np.searchsorted(bounds.bounds[CELLS], shard.sources, side="right") - 1
        self._route(ranks, Shape(n, indegree, ranks, rate).fan / ranks)
        # rooms for three times the mean, and for the few that there may be where it is small
        room = int(3 * rate * 1e-3 * n / ranks) + 50
        self._sent = np.zeros((ranks, 2 + room), dtype=np.int64)
        self._received = np.zeros_like(self._sent)
        self._write, self._deliver = shard.messages(self._sent, self._received)
        self._step = 0
        self._post = _Post(ranks)
        self._gather = Gather(self._post, shard)
        self.seconds = dict.fromkeys(("integrating", "writing", "merging", "gathering"), 0.0)
        self.arrived = self.sent = 0

    def _route(self, ranks: int, probability: float) -> None:
        """Every neuron here has targets on each rank with this probability."""
        draws = self._random.random((len(self._shard.own), ranks)) < probability
        first = np.concatenate([[0], np.cumsum(draws.sum(axis=1))]).astype(np.int64)
        rank = np.nonzero(draws)[1].astype(np.int32)
        self._shard.route(ranks, first, rank, np.zeros(len(rank), dtype=np.int32))

    def advance(self) -> int:
        """Go one tick; returns the number of spikes of the neurons here."""
        clock, shard, seconds = time.perf_counter, self._shard, self.seconds
        begin = clock()
        shard.steps(STEPS, begins=True, ends=True)
        integrated = clock()
        largest = self._write()
        written = clock()
        assert largest <= self._sent.shape[1] - 2
        self._receive()
        received = clock()
        self._deliver()
        seconds["merging"] += clock() - received
        self._post.fill(self._random.poisson(self._rate * 1e-3 * self._n / len(self._sent), len(self._sent) - 1))
        filled = clock()
        self._gather.receive()
        seconds["gathering"] += clock() - filled
        seconds["integrating"] += integrated - begin
        seconds["writing"] += written - integrated
        self.sent += int(self._sent[:, 0].sum())
        return len(shard.spikes()[1])

    def _receive(self) -> None:
        """Messages of spikes in the tick that has gone by."""
        sources = self._shard.sources
        n = self._random.poisson(self._rate * 1e-3 * len(sources))
        number = self._random.integers(0, len(sources), n)
        steps = self._step + self._random.integers(0, STEPS, n)
        self._step += STEPS
        owner = self._owner[number]
        order = np.lexsort((number, steps, owner))
        packed, counts = pack(steps[order], number[order]), np.bincount(owner, minlength=len(self._received))
        at = np.cumsum(counts) - counts
        columns = np.arange(n) - np.repeat(at, counts) + 2
        self._received[:, 0], self._received[:, 1] = counts, counts.max()
        self._received[np.repeat(np.arange(len(counts)), counts), columns] = packed
        self.arrived += n

    def close(self) -> None:
        """Release the network."""
        self._shard.close()


class _Post:
    """A communicator of rank 0 to which the other ranks' messages come from itself, in turn."""

    def __init__(self, ranks: int) -> None:
        from mpi4py import MPI

        self._comm, self._type, self._ranks = MPI.COMM_SELF.Dup(), MPI.INT64_T, ranks
        self._posted: list[Any] = []

    def Get_rank(self) -> int:
        return 0

    def Get_size(self) -> int:
        return self._ranks

    def Probe(self, source: int, tag: int, status: Any) -> None:
        self._comm.Probe(source=0, tag=0, status=status)

    def Recv(self, buffer: list[Any], source: int, tag: int) -> None:
        self._comm.Recv(buffer, source=0, tag=0)

    def fill(self, counts: I64) -> None:
        """Send what the other ranks would: a message each of so many spikes, one after another in time."""
        self._posted = []
        for n in counts.tolist():
            message = np.arange(-1, n, dtype=np.int64)
            message[0] = n
            self._posted.append((message, self._comm.Isend([message, n + 1, self._type], dest=0, tag=0)))
