"""The compiled backend: the network as a shared library in this process, one call a tick, arrays without copies."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.neural.arrays import Arrays, SynapsesArrays
from cosim.neural.backend import Spikes
from cosim.neural.cache import Entry, fetch
from cosim.neural.common import ArrayBackend
from cosim.neural.limits import check_machine
from cosim.neural.loaded import Library
from cosim.neural.packed import Packed, pack
from cosim.neural.part import Part
from cosim.neural.program import Program, SummedText, SynapsesText, program
from cosim.neural.snapshot import BOOKKEEPING, SPIKES_AND_CLOCK, State, check_flight, check_keys, put, spikes_of
from cosim.neural.toolchain import find_compiler

#: initial values that Brian2 gives by itself
_DEFAULTS: dict[str, Any] = {"lastspike": -1e4, "not_refractory": True}


def compile_network(network: NetworkIR, say: Callable[[str], None] | None = None) -> Entry:
    """The compiled code of a network, from the cache or built now. Raises UserError where it cannot run."""
    return _compile(program(network, switches=False), say)


def _compile(texts: Program, say: Callable[[str], None] | None) -> Entry:
    check_machine()
    compiler = find_compiler()
    assert compiler is not None
    return fetch(texts, compiler, say)


def aligned(size: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros that begin with a line of the cache."""
    room = np.zeros(size * dtype.itemsize + 64, dtype=np.uint8)
    first = -room.ctypes.data % 64
    return room[first : first + size * dtype.itemsize].view(dtype)


class CompiledBackend(ArrayBackend):
    """A network in compiled code. See NeuralBackend."""

    def __init__(
        self,
        network: NetworkIR,
        steps_per_tick: int,
        *,
        part: Part | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        texts = program(network, switches=False)
        self.entry = _compile(texts, say)
        self.name = "compiled"
        self.releases_gil = True
        self.library = ctypes.PyDLL(str(self.entry.binary))
        library = Library(self.entry.binary)
        self._arrays_by_key: dict[tuple[str, str], NDArray[Any]] = {}
        layout = self.entry.layout
        super().__init__(network, Arrays(network, texts, library.order, library.arrange, part), steps_per_tick)
        self._edges: dict[str, int] = {}
        self._intact: dict[str, NDArray[np.uint8]] = {}
        self._longest = 0  # delay, in steps
        # edges are built one object at a time, so that only one of them is in memory twice
        queues: list[tuple[Any, ...]] = []
        fills: dict[tuple[str, str], Any] = {}
        packs: dict[str, Packed] = {}
        for text in texts.joined:
            edges = self._arrays.synapses(text)
            self._edges[text.name] = len(edges)
            fills |= self._edge_values(text.name, edges)
            constant = {key.partition("/")[2] for key in layout["constant"] if key.startswith(f"{text.name}/")}
            if isinstance(text, SynapsesText) and (packed := pack(edges, constant, library.encode)) is not None:
                packs[text.name] = packed
                fills |= dict.fromkeys([(text.name, "_synaptic_post"), *((text.name, n) for n in packed.tables)], 0.0)
            own = [(i, q) for i, q in enumerate(layout["queues"]) if q["object"] == text.name]
            queues += [(i, *self._rows(q, edges)) for i, q in own]
            self._loaded(text, edges)
        arrays = [self._array(entry, fills) for entry in layout["arrays"]]
        self._running = library.open(arrays, len(layout["queues"]), len(layout["objects"]))
        self._running.plan(steps_per_tick)
        self._pack(packs)
        for queue in self._heard(queues):
            self._running.queue(*queue)
        self._name_spikes([self._arrays.groups[model].ids.astype(np.int32) for model in layout["spaces"]])
        clock = {variable: array for (owner, variable), array in self._arrays_by_key.items() if owner == "clock"}
        self._timestep, self._t, self._dt = clock["timestep"], clock["t"], network.dt
        clock["dt"][0] = network.dt
        self._n_spikes = 0
        self._held: Spikes | None = None  # spikes that are not the library's last
        names = {text.model: text.name for text in texts.groups}
        self._name_variables(
            {
                model: {name: self._arrays_by_key[names[model], name] for name in group["known"]}
                for model, group in layout["groups"].items()
                if model in names
            },
            {model: group["states"] for model, group in layout["groups"].items()},
            {
                model: {e["variable"] for e in layout["arrays"] if e["owner"] == name and e["size"] == ["one"]}
                for model, name in names.items()
            },
        )

    # ------------------------------------------------------------ loading

    def _pack(self, packs: dict[str, Packed]) -> None:
        number = {(e["owner"], e["variable"]): k for k, e in enumerate(self.entry.layout["arrays"])}
        for name, packed in packs.items():
            tables = {number[name, parameter]: table for parameter, table in packed.tables.items()}
            self._running.packed(self.entry.layout["objects"].index(name), packed.edges, tables)

    def _loaded(self, text: SynapsesText | SummedText, edges: SynapsesArrays) -> None:
        """An object's edges are loaded; its queues will be."""

    def _heard(self, queues: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """The arguments of Running.queue(), once all objects are loaded."""
        return queues

    def _name_spikes(self, ids: list[NDArray[np.int32]]) -> None:
        """`ids`: global ids of the neurons of each spiking group."""
        ascending = len(ids) <= 1 and all(bool(np.all(np.diff(i) > 0)) for i in ids)
        self._running.ids(ids, sort=not ascending)

    def _edge_values(self, name: str, edges: SynapsesArrays) -> dict[tuple[str, str], Any]:
        values: dict[tuple[str, str], Any] = {(name, key): value for key, value in edges.values.items()}
        wanted = {(e["owner"], e["variable"]) for e in self.entry.layout["arrays"]}
        if (name, "_synaptic_pre") in wanted:
            values[name, "_synaptic_pre"] = edges.pre
        if (name, "_synaptic_post") in wanted:
            values[name, "_synaptic_post"] = edges.post
        for pathway in (p["name"] for p in self.entry.layout["queues"] if p["object"] == name):
            if (pathway, "delay") in wanted:
                values[pathway, "delay"] = edges.delay * self._network.dt
        values[name, "N"] = len(edges)
        if (name, "N_incoming") in wanted or (name, "N_outgoing") in wanted:
            text = next(t for t in self._arrays.objects if t.name == name)
            for key, ends, model in (("N_incoming", edges.post, text.target), ("N_outgoing", edges.pre, text.source)):
                values[name, key] = np.bincount(ends, minlength=self._arrays.groups[model].n).astype(np.int32)
        return values

    def _array(self, entry: dict[str, Any], fills: dict[tuple[str, str], Any]) -> NDArray[Any]:
        """One array of the layout, allocated and filled."""
        owner, name, dtype = entry["owner"], entry["variable"], np.dtype(entry["dtype"])
        kind, *what = entry["size"]
        sizes: dict[str, Callable[[], int]] = {
            "one": lambda: 1,
            "neurons": lambda: self._arrays.groups[what[0]].n,
            "space": lambda: self._arrays.groups[what[0]].n + 1,
            "edges": lambda: self._edges[what[0]],
        }
        size = sizes[kind]()
        given = fills.pop((owner, name), None)
        if isinstance(given, float) and (
            name == "_synaptic_post" or f"{owner}/{name}" in self.entry.layout["constant"]
        ):
            size = 1  # a column of equal numbers, or what lies in packed edges
        if given is None and owner.startswith("n_") and owner[2:] in self._arrays.groups:
            given = self._arrays.groups[owner[2:]].values.get(name)
            given = given[:size] if given is not None else _DEFAULTS.get(name)
        whole = isinstance(given, np.ndarray) and given.base is None
        if kind == "edges" and whole and given.dtype == dtype and given.shape == (size,):
            array: NDArray[Any] = given
        else:
            array = aligned(size, dtype)
            if name == "i":
                array[:] = self._arrays.groups[what[0]].index
            elif given is not None:
                array[:] = given
        key = "clock" if name in ("t", "dt", "timestep") else owner
        self._arrays_by_key[key, name] = array
        return array

    def _rows(self, queue: dict[str, Any], edges: SynapsesArrays) -> tuple[Any, ...]:
        """What Running.queue() needs: first row of each source, rows as (start, delay), order, number of slots."""
        count = len(edges)
        order: NDArray[np.int32] | None = None
        if queue["kind"] == "pre":
            n, source, delay = len(edges.sources), edges.pre, edges.delay
            new = np.ones(count, dtype=bool)
            new[1:] = (source[1:] != source[:-1]) | (delay[1:] != delay[:-1])
            start = np.flatnonzero(new)
            first = np.searchsorted(source[start], np.arange(n + 1)).astype(np.int32)
            delays, n_slots = delay[start], int(delay.max()) + 1 if count else 1
        else:
            n = self._arrays.groups[queue["source"]].n
            order = np.argsort(edges.post, kind="stable").astype(np.int32)
            start = np.searchsorted(edges.post[order], np.arange(n))
            first = np.arange(n + 1, dtype=np.int32)
            delays, n_slots = np.zeros(n, dtype=np.int32), 1
        rows = np.zeros((len(start) + 1, 2), dtype=np.int32)
        rows[:-1, 0], rows[:-1, 1], rows[-1, 0] = start, delays, count
        self._longest = max(self._longest, n_slots - 1)
        return first, rows, order, n_slots

    # ------------------------------------------------------------ running

    def advance(self) -> None:
        self._n_spikes = self._running.tick()
        self._held = None

    def _ticked(self, n_spikes: int) -> None:
        """A tick was integrated by a worker."""
        self._n_spikes = self._running.found(n_spikes)
        self._held = None

    def background(self) -> Background:
        """See NeuralBackend."""
        return Background(self)

    def uninterrupted(self, n_ticks: int) -> None:
        """Integrate many ticks in one call of the library, inputs as they are; spikes() then has those of all."""
        self._running.plan(self.steps_per_tick * n_ticks)
        self.advance()
        self._held = self.spikes()
        self._running.plan(self.steps_per_tick)

    def spikes(self) -> Spikes:
        if self._held is not None:
            return self._held
        return self._running.spikes(self._n_spikes)

    def _cut(self, synapses: str, places: NDArray[np.int64]) -> None:
        mask = self._intact.get(synapses)
        if mask is None:
            mask = self._intact[synapses] = np.ones(self._edges[synapses], dtype=np.uint8)
            self._running.intact(self.entry.layout["objects"].index(synapses), mask)
        mask[places] = 0

    # ------------------------------------------------------------ checkpoints

    def snapshot(self) -> State:
        saved: State = {"clock/step": self._timestep.copy()}
        saved |= {key: values.copy() for key, values in self._saved()}
        saved["flight/step"], saved["flight/id"] = self._running.history()
        saved["spikes/step"], saved["spikes/id"] = (part.copy() for part in self.spikes())
        return saved

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        found = list(self._saved())
        check_keys(saved, {*SPIKES_AND_CLOCK, *(key for key, _ in found)})
        for key, values in found:
            put(values, saved, key)
        put(self._timestep, saved, "clock/step")
        now = int(self._timestep[0])
        self._t[0] = now * self._dt
        self._put_in_flight(saved, now)
        self._held = (saved["spikes/step"], saved["spikes/id"])

    def rewind(self, start: Mapping[str, NDArray[Any]]) -> None:
        """Be as at `start`, a snapshot from before the first tick; what was cut since is whole again."""
        for name in self._intact:
            self._running.intact(self.entry.layout["objects"].index(name), None)
        self._intact.clear()
        self.restore(start)

    def _put_in_flight(self, saved: Mapping[str, NDArray[Any]], now: int) -> None:
        groups, spiking = self._arrays.groups, self.entry.layout["spaces"]
        known = np.concatenate([np.empty(0, dtype=np.int64), *(groups[model].ids for model in spiking)])
        steps, ids = check_flight(saved, now, self._longest, known)
        self._running.set_history(steps, ids)
        for index, queue in enumerate(self.entry.layout["queues"]):
            if queue["kind"] == "pre":
                self._running.push_again(index, *spikes_of(groups[queue["source"]].ids, steps, ids, now))

    def _saved(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Key and array of all variables that a snapshot holds."""
        constant = set(self.entry.layout["constant"])
        for (owner, name), array in self._arrays_by_key.items():
            key = f"{owner}/{name}"
            if name in BOOKKEEPING or name.startswith("_") or owner == "clock" or key in constant:
                continue
            if owner in self._edges and not self._edges[owner]:
                continue
            yield key, array

    def close(self) -> None:
        self._running.close()
        self._name_variables({}, {}, {})
        self._arrays_by_key = {}


class Background:
    """See cosim.neural.backend.Background."""

    def __init__(self, backend: CompiledBackend) -> None:
        self._backend = backend
        self._worker = backend._running.worker()

    @property
    def seconds(self) -> float:
        return self._worker.seconds

    def begin(self) -> None:
        self._worker.begin()

    def end(self) -> None:
        self._backend._ticked(self._worker.end())

    def close(self) -> None:
        self._worker.close()
