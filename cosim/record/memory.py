"""A record in memory: of a run that is measured at once, and then forgotten."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.errors import UserError
from cosim.record.digest import RowSum, StateDigest
from cosim.record.layout import RecordLayout, SeriesLayout, resolve
from cosim.record.manifest import Status
from cosim.record.result import Result, Trace
from cosim.record.series import Reading, Source, SpikeSeries


class Rows:
    """A series in memory: takes rows as a GrowingArray does; ``sink`` is called with all of them, in order."""

    def __init__(
        self, shape: tuple[int, ...], dtype: str, sink: Callable[[npt.NDArray[Any]], None] | None = None
    ) -> None:
        self._empty: npt.NDArray[Any] = np.empty((0, *shape), dtype)
        self._blocks: list[npt.NDArray[Any]] = []
        self._sink = sink

    def extend(self, rows: npt.NDArray[Any]) -> None:
        """Take an array of rows."""
        block = rows.astype(self._empty.dtype)
        self._blocks.append(block)
        if self._sink is not None:
            self._sink(block)

    @property
    def values(self) -> npt.NDArray[Any]:
        """All rows."""
        if len(self._blocks) != 1:
            self._blocks = [np.concatenate([self._empty, *self._blocks])]
        return self._blocks[0]


class MemoryRecorder:
    """Takes what a ``Recorder`` takes, with the same hashes, and keeps it in memory."""

    def __init__(self, manifest: Mapping[str, Any], layout: RecordLayout) -> None:
        self.layout = layout
        self.ticks = 0
        self._manifest = dict(manifest)
        self._state = StateDigest([one.name for one in layout.series if one.name.startswith("state/")])
        self._body = RowSum()
        self.reading = Reading()
        self.series = {one.name: Rows(one.shape, one.dtype, self._sink(one)) for one in layout.series}
        self.steps, self.ids = Rows((), "int64"), Rows((), "int32")
        kept = self._kept()
        arrays = (self.steps, self.ids) if kept is None or kept.any() else None
        self._spikes = SpikeSeries(arrays, kept, lambda job: job())
        self.spikes = self._spikes.extend

    def _sink(self, one: SeriesLayout) -> Callable[[npt.NDArray[Any]], None] | None:
        return (lambda rows: self._state.update(one.name, rows)) if one.name.startswith("state/") else None

    def _kept(self) -> npt.NDArray[np.bool_] | None:
        """Whose spikes are kept, by global neuron number; None for all."""
        wanted = self.layout.spikes
        if wanted is True:
            return None
        kept = np.zeros(max((one.first + one.n for one in self.layout.populations), default=0), dtype=bool)
        for one in self.layout.populations:
            kept[one.first : one.first + one.n] = wanted is not False and one.name in wanted
        return kept

    def gather(self, sources: Iterable[tuple[str, Source]], every: int = 1, shift: int = 0) -> None:
        """See ``Recorder.gather``."""
        found = list(sources)
        self.reading.gather([self.series[name] for name, _ in found], [source for _, source in found], every, shift)

    def watch(self, body_state: npt.NDArray[np.float64]) -> None:
        """See ``Recorder.watch``."""
        self.reading.gather([self._body], [body_state])

    def take(self, tick: int) -> None:
        """Read what is to be read in a tick, and count it."""
        self.reading.take(tick)
        self.ticks += 1

    def close(
        self, status: Status, *, final_state: Mapping[str, npt.ArrayLike] | None = None, **extra: Any
    ) -> dict[str, Any]:
        """Finish the manifest with ``status``, the hashes and whatever else is given; returns it."""
        self._spikes.drain()
        self.reading.drain()
        hashes = {
            "spikes": self._spikes.sum.hexdigest(),
            "state": self._state.hexdigest(final_state),
            "body": self._body.hexdigest(),
        }
        self._manifest.update(extra, status=status, hashes=hashes, ticks=self.ticks)
        return self._manifest

    def result(self) -> MemoryResult:
        """What was recorded; the recorder must have been closed."""
        return MemoryResult(self, self._manifest)


class MemoryResult(Result):
    """See ``Result``: the same answers, from memory."""

    def __init__(self, recorder: MemoryRecorder, manifest: dict[str, Any]) -> None:
        self.path = Path("(in memory)")
        self.manifest = manifest
        self._recorder = recorder
        layout = recorder.layout
        self.tick, self.network_dt, self.end_tick = layout.tick, layout.dt, recorder.ticks
        self.populations = {one.name: one for one in layout.populations}
        wanted = layout.spikes
        self.spikes_of = [name for name in self.populations if wanted is True or (wanted and name in wanted)]
        self._layouts = {one.name: one for one in layout.series}
        self.series = list(self._layouts)
        self._dimensions = resolve(layout.series)

    def _all_spikes(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        if not self.spikes_of:
            raise UserError(f"{self.path}: no spikes were recorded")
        return self._recorder.steps.values, self._recorder.ids.values.astype(np.int64)

    def trace(self, name: str) -> Trace:
        if name not in self._layouts:
            raise UserError(f"{self.path}: {name} was not recorded; there are {', '.join(self.series) or 'no series'}")
        one = self._layouts[name]
        values = self._recorder.series[name].values
        time: npt.NDArray[np.float64] = np.multiply(one.first + one.every * np.arange(len(values)), self.tick)
        dims = tuple(dimension.name for dimension in self._dimensions[name])
        return Trace(name, time, values, dims, tuple(tuple(axis.labels) for axis in one.axes), one.unit)
