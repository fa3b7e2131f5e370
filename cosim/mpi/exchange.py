"""Spikes from the rank that owns a neuron to the ranks that have its targets, and to rank 0, which records them.

A spike travels as one int64: step * 2^32 + number. Numbers are the receiver's own (its list of sources, in the order of
global ids), so it looks nothing up; what comes from one rank ascends by itself, and merging the ranks' lists gives the
order (step, global id) that a single process has.
"""

from __future__ import annotations

import time
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

#: no spike needs to travel: an epoch without end
NEVER = 2**40


class Shard(Protocol):
    """A network's part on one rank, as the exchange sees it."""

    #: global ids of this rank's spiking neurons and of the sources of its synapses, ascending
    own: I32
    sources: I32

    def route(self, n_ranks: int, first: I64, rank: I32, number: I32) -> None:
        """Where spikes go: own neuron k to the ranks `rank[first[k]:first[k + 1]]`, as their `number`."""

    def outgoing(self, counts: I64) -> I64:
        """The spikes since the last call, rank by rank; `counts` (ranks,) is filled. Valid until the next call."""

    def incoming(self, counts: I64, spikes: I64) -> None:
        """Push what came from every rank into the queues; `spikes` may be overwritten."""


def routes(comm: Any, own: I32, sources: I32, owner: NDArray[np.integer]) -> tuple[I64, I32, I32]:
    """What `Shard.route` needs, from what every rank needs. `owner[id]`: the rank of each neuron of the network."""
    at = owner[sources]
    wanted = [
        (sources[at == rank], np.flatnonzero(at == rank).astype(np.int32)) for rank in range(comm.Get_size())
    ]  # fmt: skip
    asked = comm.alltoall(wanted)
    neuron = np.concatenate([np.searchsorted(own, ids) for ids, _ in asked])
    number = np.concatenate([numbers for _, numbers in asked])
    rank = np.repeat(np.arange(len(asked), dtype=np.int32), [len(ids) for ids, _ in asked])
    order = np.lexsort((rank, neuron))
    first = np.searchsorted(neuron[order], np.arange(len(own) + 1))
    return first.astype(np.int64), rank[order], number[order].astype(np.int32)


class Exchange:
    """The exchange of one rank. `seconds` is what it took, waiting for slower ranks included."""

    def __init__(self, comm: Any, shard: Shard, owner: NDArray[np.integer]) -> None:
        from mpi4py import MPI

        self._comm, self._shard = comm, shard
        self._type = MPI.INT64_T
        size = comm.Get_size()
        shard.route(size, *routes(comm, shard.own, shard.sources, owner))
        self._sent, self._received = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
        self._buffer = np.empty(1024, dtype=np.int64)
        self.seconds = self.merging = 0.0
        #: spikes sent by this rank to others, and how often
        self.volume = self.times = 0

    def __call__(self) -> None:
        """Exchange everything since the last call. All ranks call this together."""
        clock = time.perf_counter
        begin = clock()
        sent, received = self._sent, self._received
        spikes = self._shard.outgoing(sent)
        self._comm.Alltoall(sent, received)
        n = int(received.sum())
        if n > len(self._buffer):
            self._buffer = np.empty(2 * n, dtype=np.int64)
        self._comm.Alltoallv(
            [spikes, sent, _starts(sent), self._type], [self._buffer, received, _starts(received), self._type]
        )
        arrived = clock()
        self._shard.incoming(received, self._buffer)
        self.merging += clock() - arrived
        self.seconds += arrived - begin
        self.volume += len(spikes) - int(sent[self._comm.rank])
        self.times += 1


def _starts(counts: I64) -> I64:
    return np.concatenate([[0], np.cumsum(counts[:-1])])


def pack(steps: I64, ids: NDArray[np.integer]) -> I64:
    """Spikes as single numbers."""
    packed: I64 = (steps << np.int64(32)) | ids
    return packed


def unpack(packed: I64) -> tuple[I64, I32]:
    """The inverse of pack()."""
    return packed >> np.int64(32), (packed & np.int64(0xFFFFFFFF)).astype(np.int32)
