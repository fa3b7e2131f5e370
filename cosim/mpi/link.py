"""One body, owned by rank 0: its readings, sent to all ranks once a tick."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from cosim.body.ports import BodyLike


class RankLink:
    """The readings of a body that rank 0 steps. Every rank has the body's arrays; `spread` makes them equal.

    `sensors`: the names that are sent, those which wires read.
    """

    def __init__(self, comm: Any, body: BodyLike, sensors: Iterable[str]) -> None:
        from mpi4py import MPI

        self.owner = comm.Get_rank() == 0
        self._comm, self._type = comm, MPI.DOUBLE
        self._arrays = [body.readings[name].reshape(-1) for name in sorted(set(sensors))]
        self._buffer = np.empty(sum(len(array) for array in self._arrays))

    def spread(self) -> None:
        """Send (rank 0) or take over (the others) the readings. All ranks call this together."""
        if not len(self._buffer):
            return
        at = 0
        if self.owner:
            for array in self._arrays:
                self._buffer[at : at + len(array)] = array
                at += len(array)
        self._comm.Bcast([self._buffer, self._type], root=0)
        if not self.owner:
            for array in self._arrays:
                array[:] = self._buffer[at : at + len(array)]
                at += len(array)
