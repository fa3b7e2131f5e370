"""The writer of a run's record: cheap calls on the hot path, whole chunks to a zarr v3 store, running hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from cosim.errors import CosimError
from cosim.record.digest import Chain, RowSum, StateDigest
from cosim.record.growing import GrowingArray, last_chunk
from cosim.record.labels import write_labels, write_populations
from cosim.record.layout import Dimension, RecordLayout, SeriesLayout, resolve
from cosim.record.manifest import FORMAT, STORE, Status, write_manifest
from cosim.record.series import Clock, Reading, Series, Source, SpikeSeries
from cosim.record.store import Store, replace_json
from cosim.record.writer import Writer

#: spikes in a chunk: 1 MiB of steps, about a second of a network of some thousand neurons
SPIKE_CHUNK = 2**17

Position = dict[str, npt.NDArray[Any]]


def verify(path: Path, position: Position) -> None:
    """Raise CosimError unless the record at `path` holds everything up to `position` (of ``Recorder.position``)."""
    for key, rows in position.items():
        kind, _, name = key.partition("/")
        if kind == "rows":
            last_chunk(path / STORE / name, int(rows))


class Recorder:
    """Writes ``path``/data.zarr and ``path``/manifest.json while a run goes on.

    The manifest says "running" from the start until ``close``; the directory must exist (see ``prepare_directory``).
    ``flush_every`` is the number of ticks between flushes, which is also the number of ticks in a chunk of a series:
    about one second of biological time is a good choice. Once a tick, ``take`` reads what ``gather`` and ``watch`` have
    said, and flushes when it is time; files are written by a thread meanwhile, in order, and what went wrong there is
    raised at the next flush.

    ``resume`` takes up the store at ``path`` again where ``position`` was called on the recorder that wrote it: what
    was recorded later is dropped. Raises CosimError, before anything is changed, if the store does not hold all of it.
    """

    def __init__(
        self,
        path: Path,
        *,
        manifest: Mapping[str, Any],
        layout: RecordLayout,
        flush_every: int,
        resume: Position | None = None,
    ) -> None:
        if flush_every < 1:
            raise CosimError(f"flush_every is {flush_every} ticks; at least 1 is needed")
        self.path = path
        self.layout = layout
        self.flush_every = flush_every
        self.ticks = 0
        self._manifest: dict[str, Any] = {
            **manifest,
            "cosim": FORMAT,
            "status": "running",
            "started": manifest.get("started", datetime.now(UTC).isoformat(timespec="seconds")),
        }
        self._resume = resume
        self._writer = Writer()
        #: jobs up to the end of the last flush, and up to the last spikes that go into their sum
        self._handed = self._summed = 0
        self._store = Store(path / STORE)
        if resume is None:
            write_manifest(path, self._manifest)
            self._store.create()
        self._root_document = self._root()
        self._state_digest = StateDigest([one.name for one in layout.series if one.name.startswith("state/")])
        #: sum over the raw state of the body, a row a tick
        self.body_sum = RowSum()
        self._arrays: list[GrowingArray] = []
        self._clocks: dict[str, Clock] = {}
        self._labels: set[str] = set()
        self.reading = Reading()
        dimensions = resolve(layout.series)
        self._series = {one.name: Series(self._create_series(one, dimensions[one.name])) for one in layout.series}
        self._spikes = self._create_spikes()
        if resume is None:
            write_populations(self._store, layout.populations)
        else:
            self._take_up(resume)
        self._closed = False
        self._publish()
        self._writer.wait()

    def position(self) -> Position:
        """Where the record is, for ``resume``: ``ticks``, ``rows/<array>`` and the running sums.

        Everything up to here is handed over to be written; what must come after it goes through ``defer``.
        """
        self._hand_over()
        self._writer.wait(self._summed)
        found: Position = {"ticks": np.array(self.ticks)}
        found |= {f"rows/{array.name}": np.array(array.rows) for array in self._arrays}
        return found | {key: chain.position() for key, chain in self._chains().items()}

    def _chains(self) -> dict[str, Chain]:
        """The running sums, by their names in a position."""
        states = {f"sum/{name}": chain for name, chain in self._state_digest.chains.items()}
        return {"sum/spikes": self._spikes.sum, "sum/body": self.body_sum, **states}

    def _take_up(self, position: Position) -> None:
        self.ticks = int(position["ticks"])
        for key, chain in self._chains().items():
            chain.resume(position[key])
        write_manifest(self.path, self._manifest)
        self._publish()
        self._writer.wait()
        for array in self._arrays:
            array.trim()

    def channel(self, name: str) -> Series:
        """The series ``name``; resolve it once, before the loop. Raises CosimError if the layout does not have it."""
        try:
            return self._series[name]
        except KeyError:
            raise CosimError(
                f"series {name} is not in the record's layout: {', '.join(self._series) or 'none'}"
            ) from None

    def gather(self, sources: Iterable[tuple[str, Source]], every: int = 1, shift: int = 0) -> None:
        """Let ``take`` read rows of series, of (name, where they are read from) each; see ``Gathered``."""
        found = list(sources)
        arrays = [self.channel(name).array for name, _ in found]
        self.reading.gather(arrays, [source for _, source in found], every, shift)

    def watch(self, body_state: npt.NDArray[np.float64]) -> None:
        """Let ``take`` read the raw state of the body, for its sum."""
        self.reading.gather([self.body_sum], [body_state])

    def take(self, tick: int) -> None:
        """Read what is to be read in a tick, and count it; flush every ``flush_every`` of them."""
        self.reading.take(tick)
        self.tick_done()

    def spikes(self, steps: npt.NDArray[np.int64], ids: npt.NDArray[np.int32]) -> None:
        """Take the spikes of a tick: network steps and global neuron numbers, sorted by (step, id).

        All of them go into the hash; those that the layout asks for are stored.
        """
        self._spikes.extend(steps, ids)

    def tick_done(self) -> None:
        """Count a tick; flush every ``flush_every`` of them."""
        self.ticks += 1
        if self.ticks % self.flush_every == 0:
            self._hand_over()

    def flush(self) -> None:
        """Bring everything received so far to the store, and return when it is there."""
        self._hand_over()
        self._writer.wait()

    def defer(self, job: Callable[[], None]) -> None:
        """Do `job` in the thread that writes, after everything handed over until now is in the store."""
        self._writer.submit(job)

    def _hand_over(self) -> None:
        """Let the thread write everything received so far: data of all arrays first, then their lengths."""
        self._writer.wait(self._handed)  # the flush before this one: long done unless the disk is slower than the run
        self._spikes.drain()
        self._summed = self._writer.submitted
        self.reading.drain()
        for clock in self._clocks.values():
            clock.advance(self.layout.tick)
        for array in self._arrays:
            array.write()
        self._publish()
        self._handed = self._writer.submitted

    def close(
        self, status: Status, *, final_state: Mapping[str, npt.ArrayLike] | None = None, **extra: Any
    ) -> dict[str, Any]:
        """Flush, and finish the manifest with ``status``, the hashes and whatever else is given; returns the manifest.

        ``final_state`` (name -> array) goes into the state hash. Use ``message`` to say why a run failed.
        """
        if not self._closed:
            self._closed = True
            self._hand_over()
            self._writer.close()
        hashes = {
            "spikes": self._spikes.sum.hexdigest(),
            "state": self._state_digest.hexdigest(final_state),
            "body": self.body_sum.hexdigest(),
        }
        self._manifest.update(extra)
        self._manifest.update(
            status=status, hashes=hashes, ticks=self.ticks, ended=datetime.now(UTC).isoformat(timespec="seconds")
        )
        write_manifest(self.path, self._manifest)
        return self._manifest

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._closed:
            return
        if kind is None:
            self.close("complete")
        elif issubclass(kind, KeyboardInterrupt):
            self.close("interrupted", message="interrupted")
        else:
            self.close("failed", message=str(error) or kind.__name__)

    def _create(
        self,
        name: str,
        shape: tuple[int, ...],
        chunk: int,
        dtype: str,
        dimensions: list[str],
        attributes: dict[str, Any],
        sink: Callable[[npt.NDArray[Any]], None] | None = None,
    ) -> GrowingArray:
        array = GrowingArray(
            self._store,
            name,
            shape=shape,
            chunk=chunk,
            dtype=dtype,
            dimensions=dimensions,
            attributes=attributes,
            sink=sink,
            resume=None if self._resume is None else int(self._resume[f"rows/{name}"]),
            submit=self._writer.submit,
        )
        self._arrays.append(array)
        return array

    def _create_series(self, one: SeriesLayout, dimensions: tuple[Dimension, ...]) -> GrowingArray:
        chunk = max(1, self.flush_every // one.every)
        names = [dimension.name for dimension in dimensions]
        attributes = {"units": one.unit} if one.unit else {}
        sink = partial(self._state_digest.update, one.name) if one.name.startswith("state/") else None
        array = self._create(one.name, one.shape, chunk, one.dtype, names, attributes, sink)
        for dimension in dimensions:
            name = f"{one.group}/{dimension.name}"
            if dimension.labels is not None:
                if self._resume is None and name not in self._labels:
                    write_labels(self._store, name, dimension.labels)
                    self._labels.add(name)
                continue
            if name not in self._clocks:
                stamps = self._create(name, (), chunk, "float64", [dimension.name], {"units": "s"})
                self._clocks[name] = Clock(stamps, dimension)
            self._clocks[name].series.append(array)
        return array

    def _create_spikes(self) -> SpikeSeries:
        wanted = self.layout.spikes
        if wanted is False or wanted == ():
            return SpikeSeries(None, None, self._writer.submit)
        kept = None
        if wanted is not True:
            known = {one.name: one for one in self.layout.populations}
            kept = np.zeros(max((one.first + one.n for one in known.values()), default=0), dtype=bool)
            for name in wanted:
                if name not in known:
                    raise CosimError(f"spikes of {name} are to be recorded; the populations are {', '.join(known)}")
                kept[known[name].first : known[name].first + known[name].n] = True
        steps = self._create("spikes/step", (), SPIKE_CHUNK, "int64", ["spike"], {"description": "network step"})
        ids = self._create("spikes/id", (), SPIKE_CHUNK, "int32", ["spike"], {"description": "global neuron number"})
        return SpikeSeries((steps, ids), kept, self._writer.submit)

    def _root(self) -> dict[str, Any]:
        """The document of the root group; its attributes say what the record holds, and how far."""
        spikes = self.layout.spikes
        stored = [one.name for one in self.layout.populations if spikes is True or (spikes and one.name in spikes)]
        attributes = {"cosim": FORMAT, "tick": self.layout.tick, "network_dt": self.layout.dt, "spikes_of": stored}
        return {"attributes": attributes, "zarr_format": 3, "node_type": "group"}

    def _publish(self) -> None:
        """Lengths of the arrays, then, last and in one replacement, the lengths that belong together."""
        rows = {array.name: array.publish() for array in self._arrays}
        self._writer.submit(partial(self._show, self.ticks, rows))

    def _show(self, ticks: int, rows: dict[str, int]) -> None:
        self._root_document["attributes"].update(end_tick=ticks, rows=rows)
        replace_json(self._store.path / "zarr.json", self._root_document)
