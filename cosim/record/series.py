"""What a recorder keeps for each kind of series: the times of its rows, the spikes, the rows of one variable."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from cosim.record.digest import SPIKE, Chain
from cosim.record.growing import GrowingArray
from cosim.record.layout import Dimension
from cosim.tape import Tape

#: spikes gathered before they are hashed and handed to the arrays
SPIKE_GATHER = 2**14
#: numbers gathered before they are handed to the arrays: 64 KiB
GATHER = 2**13


class Takes(Protocol):
    """What rows are handed to."""

    def extend(self, rows: npt.NDArray[Any]) -> None:
        """Take an array of rows."""


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
        arrays: tuple[Takes, Takes] | None,
        kept: npt.NDArray[np.bool_] | None,
        submit: Callable[[Callable[[], None]], None],
    ) -> None:
        self.sum = Chain()
        self._arrays = arrays
        self._kept = kept
        self._submit = submit
        self._spare: list[npt.NDArray[np.void]] = []
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
        self._submit(partial(self._add, records, self._records))
        self._renew(self._room)  # the old ones are the job's
        if self._arrays is None:
            return
        if self._kept is not None:
            kept = self._kept[ids]
            steps, ids = steps[kept], ids[kept]
        self._arrays[0].extend(steps)
        self._arrays[1].extend(ids)

    def _add(self, records: npt.NDArray[np.void], whole: npt.NDArray[np.void]) -> None:
        """In the job: add to the sum, and give the array back (new memory costs more than what is written there)."""
        self.sum.update(records.view(np.uint8).data)
        self._spare.append(whole)

    def _renew(self, room: int) -> None:
        self._records = self._spare.pop() if self._spare else np.empty(room, SPIKE)
        if len(self._records) < room:
            self._records = np.empty(room, SPIKE)
        self._steps, self._ids = self._records["step"], self._records["id"]
        self._room, self._used = len(self._records), 0


class Series:
    """One recorded variable: ``append`` takes a row of the shape its layout states."""

    def __init__(self, array: GrowingArray) -> None:
        self.array = array
        self.append = array.append


@dataclass(frozen=True)
class Picked:
    """Some elements of an array, looked up when a row is taken."""

    array: npt.NDArray[Any]
    places: npt.NDArray[np.int64]


Source = npt.NDArray[Any] | Picked


class Gathered:
    """Series whose rows come at the same ticks, read on a tape: those in which (tick + shift) % every is 0.

    ``sources``, one for each of ``takers``, are what a row is read from, in the shape that the layout states. They are
    read where they are now, so their owners must never replace them.
    """

    def __init__(
        self, tape: Tape, takers: Sequence[Takes], sources: Sequence[Source], every: int = 1, shift: int = 0
    ) -> None:
        shapes = [source.places.shape if isinstance(source, Picked) else source.shape for source in sources]
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
        width = max(int(ends[-1]), 1)
        room = max(1, GATHER // width)
        block = np.empty((room, width))
        self._used = np.zeros(1, dtype=np.int64)
        self._parts = []
        arrays = [tape.read(source.array if isinstance(source, Picked) else source) for source in sources]
        with tape.when(every, shift):
            for one, source, array, shape, end in zip(takers, sources, arrays, shapes, ends, strict=True):
                values = tape.take(array, source.places) if isinstance(source, Picked) else array
                begin = int(end) - len(values)
                tape.append(values, block, begin, self._used)
                self._parts.append((one, block[:, begin:end].reshape(room, *shape)))
            tape.advance(self._used, room)
        self._room = room

    @property
    def full(self) -> bool:
        """Whether there is no room for another row."""
        return bool(self._used[0] == self._room)

    def drain(self) -> None:
        """Hand everything gathered over."""
        for one, rows in self._parts:
            one.extend(rows[: self._used[0]])
        self._used[0] = 0


class Reading:
    """What is read in every tick, for a record on the disk or in memory."""

    def __init__(self) -> None:
        self._tape = Tape()
        self._gathered: list[Gathered] = []

    def gather(self, takers: Sequence[Takes], sources: Sequence[Source], every: int = 1, shift: int = 0) -> None:
        """Read rows for ``takers`` from ``sources`` in the ticks in which (tick + shift) % every is 0."""
        self._gathered.append(Gathered(self._tape, takers, sources, every, shift))

    def load(self, library: ctypes.PyDLL | None) -> None:
        """Read by way of a library (see cosim.tape), once all is said that is to be read."""
        self._tape.load(library)

    def take(self, tick: int) -> None:
        """Read what is to be read in a tick."""
        if self._tape.play(tick):
            for gathered in self._gathered:
                if gathered.full:
                    gathered.drain()

    def drain(self) -> None:
        """Hand everything that was read over."""
        for gathered in self._gathered:
            gathered.drain()
