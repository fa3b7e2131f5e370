"""What rank 0 gets from all ranks after every tick: their spikes, and the state variables that it reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.mpi.exchange import pack, unpack
from cosim.neural.backend import Spikes

F64 = NDArray[np.float64]
_TAG = 1


class Watched:
    """A variable that rank 0 reads: its `mirror` (n,) there, this rank's neurons [lo, hi), `local` their view."""

    def __init__(self, mirror: F64, local: F64, bounds: NDArray[np.int64]) -> None:
        self.mirror, self.local, self.bounds = mirror, local, bounds


class Gather:
    """Spikes and watched variables of all ranks to rank 0. A rank sends and goes on; rank 0 waits for all."""

    def __init__(self, comm: Any) -> None:
        from mpi4py import MPI

        self._comm, self._rank, self._size = comm, comm.Get_rank(), comm.Get_size()
        self._status, self._type = MPI.Status(), MPI.INT64_T
        self._watched: list[Watched] = []
        self._pending: Any = None
        self._buffer = np.empty(1024, dtype=np.int64)
        self._out = np.empty(0, dtype=np.int64)

    def watch(self, one: Watched) -> None:
        """Send this variable too from now on. All ranks call this for the same variables in the same order."""
        self._watched.append(one)

    def __call__(self, steps: NDArray[np.int64], ids: NDArray[np.int32]) -> Spikes:
        """All ranks give the spikes of their own neurons; rank 0 gets all, sorted by (step, id), the others their
        own."""
        if self._rank:
            if self._pending is not None:
                self._pending.Wait()
            parts = [pack(steps, ids), *(one.local.view(np.int64) for one in self._watched)]
            self._out = np.concatenate(parts)
            self._pending = self._comm.Isend([self._out, self._type], dest=0, tag=_TAG)
            return steps, ids
        found = [pack(steps, ids)]
        for one in self._watched:
            one.mirror[one.bounds[0] : one.bounds[1]] = one.local
        for rank in range(1, self._size):
            self._comm.Probe(source=rank, tag=_TAG, status=self._status)
            n = self._status.Get_count(self._type)
            if n > len(self._buffer):
                self._buffer = np.empty(2 * n, dtype=np.int64)
            self._comm.Recv([self._buffer, n, self._type], source=rank, tag=_TAG)
            for one in reversed(self._watched):
                lo, hi = one.bounds[rank], one.bounds[rank + 1]
                one.mirror[lo:hi] = self._buffer[n - (hi - lo) : n].view(np.float64)
                n -= int(hi - lo)
            if n:
                found.append(self._buffer[:n].copy())
        if len(found) == 1:
            return steps, ids
        merged = np.concatenate(found)
        # sorted runs one after another: merging them is what a stable sort does here
        merged.sort(kind="stable")
        return unpack(merged)
