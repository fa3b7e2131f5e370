"""The one delay line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cosim.tape import Tape


class DelayLine:
    """Channels that arrive a fixed whole number of ticks after they were sent, each with its own delay.

    Where a tape stores values in tick k (`store`) and then takes what is due (`take`), channel c is what was stored in
    tick ``k - delays[c]``; a delay of 0 returns what was just stored. Before anything can have arrived a channel reads
    `initial`.

    Parameters
    ----------
    delays: whole ticks, >= 0, shape (n,). initial: shape (n,) or a number.
    """

    def __init__(self, delays: Sequence[int], initial: NDArray[np.float64] | float = 0.0) -> None:
        self.delays = np.array(delays, dtype=np.int64)
        if self.delays.ndim != 1 or (self.delays < 0).any():
            raise ValueError("delays must be whole ticks of 0 or more")
        self._ring = np.empty((int(self.delays.max(initial=0)) + 1, len(self.delays)))
        self._ring[:] = initial

    def memory(self) -> dict[str, NDArray[np.float64]]:
        """What is under way: the array itself."""
        return {"ring": self._ring}

    def store(self, tape: Tape, values: NDArray[np.float64]) -> None:
        """Put in the values of this tick, shape (n,)."""
        tape.store(values, self._ring)

    def take(self, tape: Tape, out: NDArray[np.float64]) -> None:
        """Write the values due in this tick into `out`, shape (n,)."""
        tape.recall(self._ring, self.delays, out)
