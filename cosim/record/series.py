"""What a recorder keeps for each kind of series: the times of its rows, the spikes, the rows of one variable."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.record.digest import SPIKE, Chain
from cosim.record.growing import GrowingArray
from cosim.record.layout import Dimension

#: spikes gathered before they are hashed and handed to the arrays
SPIKE_GATHER = 2**14
#: numbers gathered before they are handed to the arrays: 64 KiB
GATHER = 2**13


class Clock:
    """The time coordinate of a group: filled at a flush as far as the longest of its series goes."""

    def __init__(self, stamps: GrowingArray, dimension: Dimension) -> None:
        self.series: list[GrowingArray] = []
        self._stamps = stamps
        self._dimension = dimension

    def advance(self, tick: float) -> None:
        """Append the times (s) of rows that came since the last call."""
        rows = np.arange(self._stamps.rows, max(array.rows for array in self.series))
        # an integer count times the tick: no drift, and the same number whatever the flushes
        self._stamps.extend((self._dimension.first + self._dimension.every * rows) * tick)


class SpikeSeries:
    """Gathers the spikes of many ticks, as a call on a few of them costs more than the spikes themselves.

    ``arrays`` for steps and neuron numbers is None where no spike is stored; ``kept`` says for every neuron whether its
    spikes are stored, None for all. Every spike goes into ``sum``, by jobs that are given to ``submit``, which must do
    them in order.
    """

    def __init__(
        self,
        arrays: tuple[GrowingArray, GrowingArray] | None,
        kept: npt.NDArray[np.bool_] | None,
        submit: Callable[[Callable[[], None]], None],
    ) -> None:
        self.sum = Chain()
        self._arrays = arrays
        self._kept = kept
        self._submit = submit
        self._room = self._used = 0
        self._renew(SPIKE_GATHER)

    def extend(self, steps: npt.NDArray[np.int64], ids: npt.NDArray[np.int32]) -> None:
        """Take the spikes of a tick."""
        end = self._used + len(steps)
        if end > self._room:
            self.drain()
            end = len(steps)
            if end > self._room:
                self._renew(end)
        self._steps[self._used : end] = steps
        self._ids[self._used : end] = ids
        self._used = end

    def drain(self) -> None:
        """Hand everything gathered over to the arrays and the sum."""
        if not self._used:
            return
        records, steps, ids = (part[: self._used] for part in (self._records, self._steps, self._ids))
        self._submit(partial(self.sum.update, records.view(np.uint8).data))
        self._renew(self._room)  # the old ones are the job's
        if self._arrays is None:
            return
        if self._kept is not None:
            kept = self._kept[ids]
            steps, ids = steps[kept], ids[kept]
        self._arrays[0].extend(steps)
        self._arrays[1].extend(ids)

    def _renew(self, room: int) -> None:
        self._records = np.empty(room, SPIKE)
        self._steps, self._ids = self._records["step"], self._records["id"]
        self._room, self._used = room, 0


class Series:
    """One recorded variable: ``append`` takes a row of the shape its layout states."""

    def __init__(self, array: GrowingArray) -> None:
        self.array = array
        self.append = array.append


class Picked:
    """Some elements of an array, looked up when a row is taken."""

    def __init__(self, array: npt.NDArray[Any], places: npt.NDArray[np.int64]) -> None:
        self._array, self._places = array, places
        self.values = array[places]

    def look(self) -> None:
        """Bring `values` up to date."""
        self._array.take(self._places, out=self.values, mode="clip")  # the mode without a buffer; all places are valid


Source = npt.NDArray[Any] | Picked


class Gathered:
    """Series whose rows come at the same ticks: `take` reads all of them with one call of numpy.

    ``sources``, one for each of ``arrays``, are what a row is read from, in the shape that the layout states. They are
    read where they are now, so their owners must never replace them.
    """

    def __init__(self, arrays: Sequence[GrowingArray], sources: Sequence[Source]) -> None:
        self._picked = [source for source in sources if isinstance(source, Picked)]
        whole = [source.values if isinstance(source, Picked) else source for source in sources]
        assert all(values.flags.c_contiguous for values in whole)  # or what is read below would be a copy
        self._sources = [values.reshape(-1) for values in whole]
        ends = np.cumsum([values.size for values in whole])
        rows = max(1, GATHER // max(int(ends[-1]), 1))
        block = np.empty((rows, int(ends[-1])))
        self._rows, self._room, self._used = list(block), rows, 0
        self._parts = [
            (array, block[:, end - values.size : end].reshape(rows, *values.shape))
            for array, values, end in zip(arrays, whole, ends, strict=True)
        ]

    def take(self) -> None:
        """Take a row of every series."""
        for picked in self._picked:
            picked.look()
        np.concatenate(self._sources, out=self._rows[self._used])
        self._used += 1
        if self._used == self._room:
            self.drain()

    def drain(self) -> None:
        """Hand everything gathered over to the arrays."""
        for array, rows in self._parts:
            array.extend(rows[: self._used])
        self._used = 0
