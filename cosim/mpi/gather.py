"""What rank 0 gets from all ranks after every tick: their spikes, and the state variables that it reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.mpi.exchange import Shard
from cosim.neural.backend import Spikes

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
_TAG = 1


class Watched:
    """A variable that rank 0 reads.

    `mirror` (n,) is what rank 0 sees, `local` the view of this rank's neurons; rank r has those of [bounds[r],
    bounds[r + 1]).
    """

    def __init__(self, mirror: F64, local: F64, bounds: I64) -> None:
        self.mirror, self.local, self.bounds = mirror, local, bounds


class Gather:
    """Spikes and watched variables of all ranks to rank 0. A rank sends and goes on; rank 0 waits for all.

    A message is [number of spikes, spikes ..., variables ...].
    """

    def __init__(self, comm: Any, shard: Shard) -> None:
        from mpi4py import MPI

        self._comm, self._shard = comm, shard
        self._rank, self._size = comm.Get_rank(), comm.Get_size()
        self._status, self._type = MPI.Status(), MPI.INT64_T
        self._watched: list[Watched] = []
        self._pending: Any = None
        # what is being sent must not be written over: two take turns
        self._out = [np.empty(256, dtype=np.int64), np.empty(256, dtype=np.int64)]
        self._in = np.empty(1024, dtype=np.int64)
        self._counts = np.zeros(self._size, dtype=np.int64)

    def watch(self, one: Watched) -> None:
        """Send this variable too from now on. All ranks call this for the same variables in the same order."""
        self._watched.append(one)

    def send(self) -> None:
        """The tick's spikes and variables of a rank other than 0."""
        self._out.reverse()
        out = self._out[0]
        more = sum(len(one.local) for one in self._watched)
        n = self._shard.numbers(out[1:])
        if 1 + n + more > len(out):
            out = self._out[0] = np.empty(2 * (1 + n + more), dtype=np.int64)
            self._shard.numbers(out[1:])
        out[0] = n
        at = 1 + n
        for one in self._watched:
            out[at : at + len(one.local)] = one.local.view(np.int64)
            at += len(one.local)
        if self._pending is not None:
            self._pending.Wait()
        self._pending = self._comm.Isend([out, at, self._type], dest=0, tag=_TAG)

    def receive(self) -> Spikes:
        """On rank 0: the tick's spikes of all ranks, sorted by (step, id), valid until the next call."""
        counts = self._counts
        at = counts[0] = self._shard.numbers(self._in)
        if at > len(self._in):
            self._in = np.empty(2 * self._size * at, dtype=np.int64)
            self._shard.numbers(self._in)
        for one in self._watched:
            one.mirror[one.bounds[0] : one.bounds[1]] = one.local
        for rank in range(1, self._size):
            self._comm.Probe(source=rank, tag=_TAG, status=self._status)
            length = self._status.Get_count(self._type)
            if at + length > len(self._in):
                self._in = np.concatenate([self._in[:at], np.empty(2 * self._size * length + at, dtype=np.int64)])
            message = self._in[at : at + length]
            self._comm.Recv([message, length, self._type], source=rank, tag=_TAG)
            n = counts[rank] = int(message[0])
            below = 1 + n
            for one in self._watched:
                lo, hi = one.bounds[rank], one.bounds[rank + 1]
                one.mirror[lo:hi] = message[below : below + hi - lo].view(np.float64)
                below += hi - lo
            message[:n] = message[1 : 1 + n].copy()
            at += n
        return self._shard.merge(counts, self._in)
