"""Spikes from the rank that owns a neuron to the ranks that have its targets, and to rank 0, which records them.

A spike travels as one int64: step * 2^32 + number. Numbers are the receiver's own (its list of sources, in the order of
global ids), so it looks nothing up; what comes from one rank ascends by itself, and merging the ranks' lists gives the
order (step, global id) that a single process has.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.neural.backend import Spikes

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]

#: no spike needs to travel: an epoch without end
NEVER = 2**40
#: spikes that fit into the first messages, and numbers before them
_FIRST, _HEAD = 62, 2
_TAG = 2


class Shard(Protocol):
    """A network's part on one rank, as the exchange sees it."""

    #: global ids of this rank's spiking neurons and of the sources of its synapses, ascending
    own: I32
    sources: I32

    def route(self, n_ranks: int, first: I64, rank: I32, number: I32) -> None:
        """Where spikes go: own neuron k to the ranks `rank[first[k]:first[k + 1]]`, as their `number`."""

    def messages(self, sent: I64, received: I64) -> tuple[Callable[[], int], Callable[[], int]]:
        """Functions that write messages and deliver them; see Exchange. Both arrays have shape (ranks, 2 + room).

        The first keeps what does not fit for `rest`; the second delivers only if all spikes fitted. Each returns the
        largest number of spikes of a message, of this rank and of all ranks.
        """

    def rest(self, rank: int, n: int) -> I64:
        """The n spikes to a rank that did not fit."""

    def incoming(self, counts: I64, spikes: I64) -> None:
        """Push what came from every rank, one rank after another, into the queues; `spikes` may be overwritten."""

    def numbers(self, out: I64) -> int:
        """Write the tick's spikes as pack() does into `out`, as far as there is room; returns how many they are."""

    def merge(self, counts: I64, numbers: I64) -> Spikes:
        """Such numbers of several ranks, one rank after another, merged and unpacked; valid until the next call."""


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
    """The exchange of one rank.

    One collective call with messages of equal size, whatever there is to send: [number of spikes, largest such number
    of the sender, spikes ...]. What does not fit follows by itself, and the messages of the next exchange are larger:
    all ranks have read the same numbers. `seconds` is what it took, waiting for slower ranks included, `merging` what
    putting the spikes into the queues took.
    """

    def __init__(self, comm: Any, shard: Shard, owner: NDArray[np.integer]) -> None:
        from mpi4py import MPI

        self._comm, self._shard = comm, shard
        self._type = MPI.INT64_T
        self._rank, self._size = comm.Get_rank(), comm.Get_size()
        shard.route(self._size, *routes(comm, shard.own, shard.sources, owner))
        self._make(_FIRST)
        self.seconds = self.merging = self.waiting = 0.0
        #: wait for all ranks first, so that `seconds` is the exchange alone (for measurements)
        self.apart = False

    def _make(self, room: int) -> None:
        """Messages of `room` spikes."""
        self._room = room
        self._sent = np.zeros((self._size, _HEAD + room), dtype=np.int64)
        self._received = np.zeros_like(self._sent)
        self._buffers = [self._sent, _HEAD + room, self._type], [self._received, _HEAD + room, self._type]
        self._write, self._deliver = self._shard.messages(self._sent, self._received)

    def __call__(self) -> None:
        """Exchange everything since the last call. All ranks call this together."""
        clock = time.perf_counter
        begin = clock()
        if self.apart:
            self._comm.Barrier()
            self.waiting += clock() - begin
            begin = clock()
        self._write()
        self._comm.Alltoall(*self._buffers)
        arrived = clock()
        largest = self._deliver()
        if largest > self._room:
            self._follow()
            self._make(2 * largest)
        self.merging += clock() - arrived
        self.seconds += arrived - begin

    @property
    def volume(self) -> int:
        """Spikes sent to other ranks in the last exchange."""
        return int(self._sent[:, 0].sum() - self._sent[self._rank, 0])

    def _follow(self) -> None:
        """Some rank had more to send than fits: send the rest, and deliver what came if that was not done yet."""
        room, counts, arriving = self._room, self._sent[:, 0], self._received[:, 0].copy()
        rests = {rank: self._shard.rest(rank, int(n) - room) for rank, n in enumerate(counts) if n > room}
        requests = [
            self._comm.Isend([rest, self._type], dest=rank, tag=_TAG)
            for rank, rest in rests.items()
            if rank != self._rank
        ]
        if arriving.max() > room:
            parts: list[I64] = []
            for rank, n in enumerate(arriving.tolist()):
                parts.append(self._received[rank, _HEAD : _HEAD + min(n, room)])
                if n > room and rank == self._rank:
                    parts.append(rests[rank])
                elif n > room:
                    rest = np.empty(n - room, dtype=np.int64)
                    self._comm.Recv([rest, self._type], source=rank, tag=_TAG)
                    parts.append(rest)
            self._shard.incoming(arriving, np.concatenate(parts))
        for request in requests:
            request.Wait()


def pack(steps: I64, ids: NDArray[np.integer]) -> I64:
    """Spikes as single numbers."""
    packed: I64 = (steps << np.int64(32)) | ids
    return packed


def unpack(packed: I64) -> tuple[I64, I32]:
    """The inverse of pack()."""
    return packed >> np.int64(32), (packed & np.int64(0xFFFFFFFF)).astype(np.int32)
