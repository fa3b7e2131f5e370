"""The one delay line."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class DelayLine:
    """Channels that arrive a fixed whole number of ticks after they were pushed, each with its own delay.

    In tick k call ``push(k, values)`` and then ``take(k, out)``: channel c of `out` becomes what was pushed in tick
    ``k - delays[c]``; a delay of 0 returns what was just pushed. Before anything can have arrived a channel
    reads `initial`.

    Parameters
    ----------
    delays: whole ticks, >= 0, shape (n,). initial: shape (n,) or a number.
    """

    def __init__(self, delays: Sequence[int], initial: NDArray[np.float64] | float = 0.0) -> None:
        self.delays = np.asarray(delays, dtype=np.int64)
        if self.delays.ndim != 1 or (self.delays < 0).any():
            raise ValueError("delays must be whole ticks of 0 or more")
        n = len(self.delays)
        self._depth = int(self.delays.max(initial=0)) + 1
        self._ring = np.empty((self._depth, n))
        self._ring[:] = initial
        self._rows = list(self._ring)
        self._columns = np.arange(n)
        self._uniform = int(self.delays[0]) if n and (self.delays == self.delays[0]).all() else None

    def memory(self) -> dict[str, NDArray[np.float64]]:
        """What is under way: the array itself."""
        return {"ring": self._ring}

    def push(self, tick: int, values: NDArray[np.float64]) -> None:
        """Put in the values of this tick, shape (n,)."""
        self._rows[tick % self._depth][:] = values

    def take(self, tick: int, out: NDArray[np.float64]) -> None:
        """Write the values due in this tick into `out`, shape (n,)."""
        if self._uniform is not None:
            out[:] = self._rows[(tick - self._uniform) % self._depth]
        else:
            places = ((tick - self.delays) % self._depth) * len(out) + self._columns
            self._ring.take(places, out=out, mode="clip")  # the mode without a buffer; all places are valid
