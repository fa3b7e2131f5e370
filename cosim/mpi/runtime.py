"""One rank's part of a network in Brian2's runtime mode.

Brian2 pushes the spikes of a group in the step in which they happen, so spikes from elsewhere (and this rank's own,
which come the same way) are replayed one epoch late by a group that stands for the sources, on edges whose delays
are an epoch shorter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.mpi.exchange import NEVER, pack, unpack
from cosim.mpi.state import EdgeKeys, Layout, edge_keys, spiking
from cosim.neural.arrays import SynapsesArrays
from cosim.neural.backend import Spikes
from cosim.neural.brian_private import own_variables, put_in_flight
from cosim.neural.part import Part
from cosim.neural.runtime import RuntimeBackend, by_step
from cosim.neural.snapshot import check_flight, spikes_of

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


class RuntimeShard(RuntimeBackend):
    """See cosim.mpi.backend.ShardBackend."""

    def __init__(
        self,
        network: NetworkIR,
        steps_per_tick: int,
        part: Part,
        *,
        target: str,
        say: Callable[[str], None] | None = None,
    ) -> None:
        self.shortest_delay, self.longest_delay = NEVER, 0
        self._lag = 0
        self._waiting: dict[int, I64] = {}
        self._fresh: list[tuple[int, I32]] = []
        super().__init__(network, steps_per_tick, target=target, part=part, say=say)

    # ------------------------------------------------------------ loading

    def _load(self, heard: Mapping[str, SynapsesArrays], lag: int) -> None:
        """Only count what there is: the delays depend on the other ranks (see `open`)."""
        arrays = self._arrays
        self._edges: dict[str, SynapsesArrays] = {}
        for text in self._texts.synapses:
            edges = arrays.synapses(text)
            if len(edges):
                self.longest_delay = max(self.longest_delay, int(edges.delay.max()))
            if arrays.exchanged(text):
                self._edges[text.name] = edges
                if len(edges):
                    self.shortest_delay = min(self.shortest_delay, int(edges.delay.min()))
        none = np.empty(0, dtype=np.int64)
        self._members = {name: edges.sources for name, edges in self._edges.items()}
        self.sources: I32 = np.unique(np.concatenate([none, *self._members.values()])).astype(np.int32)
        models = [text.model for text in self._texts.groups if text.threshold is not None]
        self.own: I32 = np.sort(np.concatenate([none, *(arrays.groups[m].ids for m in models)])).astype(np.int32)

    def route(self, n_ranks: int, first: I64, rank: I32, number: I32) -> None:
        self._route = n_ranks, first, rank, number

    def open(self, epoch: int, longest: int) -> None:
        self._lag = epoch if epoch < NEVER else 0
        super()._load(self._edges, self._lag)
        self._longest = longest
        emitted, places = self._emitted, np.full(len(self.sources), -1, dtype=np.int32)
        self._spaces_of_heard = []
        for name, group in emitted.heard.items():
            place = places.copy()
            members = self._members[name]
            place[np.searchsorted(self.sources, members)] = np.arange(len(members), dtype=np.int32)
            self._spaces_of_heard.append((group.variables["_spikespace"].get_value(), place))
        groups = self._arrays.groups
        self._keys: dict[str, EdgeKeys] = {}
        for text in self._texts.joined:
            synapses = emitted.synapses[text.name]
            if synapses.active and any(not variable.constant for _, variable in own_variables(synapses)):
                edges = self._edges.get(text.name)
                edges = edges if edges is not None else self._arrays.synapses(text)
                self._keys[text.name] = edge_keys(edges, groups[text.target].ids)
        self._edges = {}

    # ------------------------------------------------------------ running

    def steps(self, n: int, *, begins: bool, ends: bool) -> None:
        if begins:
            self._spikes.clear()
        known = len(self._spikes)
        self._flushing.begin()
        try:
            self._integrate(n)
        finally:
            self._flushing.end()
        self._fresh += self._spikes[known:]
        if ends:
            self._remember()

    def _hear(self, step: int) -> None:
        numbers = self._waiting.pop(step - self._lag, None)
        for space, place in self._spaces_of_heard:
            space[-1] = 0
            if numbers is not None:
                heard = place[numbers]
                heard = heard[heard >= 0]
                space[: len(heard)] = heard
                space[-1] = len(heard)

    def messages(self, sent: I64, received: I64) -> tuple[Callable[[], int], Callable[[], int]]:
        return partial(self._pack, sent), partial(self._unpack, received)

    def _pack(self, sent: I64) -> int:
        n_ranks, first, rank, number = self._route
        room = sent.shape[1] - 2
        steps, ids = self._stacked(self._fresh)
        self._fresh = []
        neuron = np.searchsorted(self.own, ids)
        fans = first[neuron + 1] - first[neuron]
        within = np.arange(int(fans.sum())) - np.repeat(np.cumsum(fans) - fans, fans)
        at = np.repeat(first[neuron], fans) + within
        numbers = pack(np.repeat(steps, fans), number[at])
        parts = [numbers[rank[at] == one] for one in range(n_ranks)]
        largest = max(len(part) for part in parts)
        for one, part in enumerate(parts):
            sent[one, :2] = len(part), largest
            sent[one, 2 : 2 + min(len(part), room)] = part[:room]
        self._rests: list[I64] = [part[room:] for part in parts]
        return largest

    def rest(self, rank: int, n: int) -> I64:
        return self._rests[rank]

    def _unpack(self, received: I64) -> int:
        counts, room = received[:, 0], received.shape[1] - 2
        if counts.max() <= room:
            self.incoming(counts, np.concatenate([row[2 : 2 + row[0]] for row in received]))
        return int(received[:, 1].max())

    def incoming(self, counts: I64, spikes: I64) -> None:
        steps, numbers = unpack(np.sort(spikes))
        for step in np.unique(steps):
            self._waiting[int(step)] = numbers[steps == step].astype(np.int64)

    def numbers(self, out: I64) -> int:
        steps, ids = self.spikes()
        out[: len(ids)] = pack(steps, ids)[: len(out)]
        return len(ids)

    def merge(self, counts: I64, numbers: I64) -> Spikes:
        return unpack(np.sort(numbers[: int(counts.sum())]))

    # ------------------------------------------------------------ state

    def layout(self) -> Layout:
        extent: dict[str, tuple[str, ...]] = {}
        for model, group in self._emitted.groups.items():
            for name, variable in own_variables(group):
                extent[f"{group.name}/{name}"] = ("one",) if variable.scalar else ("neurons", model)
        for name, synapses in self._emitted.synapses.items():
            extent |= {f"{name}/{v}": ("one",) if one.scalar else ("edges", name) for v, one in own_variables(synapses)}
        return Layout({key: extent[key] for key, _ in self._saved()}, self._keys)

    def _saved(self) -> Iterator[tuple[str, NDArray[Any]]]:
        absent = {g.name for m, g in self._emitted.groups.items() if not self._arrays.groups[m].n}
        for key, values in super()._saved():
            if key.partition("/")[0] not in absent:
                yield key, values

    def _put_in_flight(self, saved: Mapping[str, NDArray[Any]], now: int) -> None:
        steps, ids = check_flight(saved, now, self._longest, spiking(self._network))
        own = np.isin(ids, self.own)
        self._history.clear()
        self._history.extend(by_step(steps[own], ids[own]))
        self._fresh, self._waiting = [], {}
        heard = np.isin(ids, self.sources)
        for step, some in by_step(steps[heard], ids[heard]):
            if step + self._lag >= now:  # not replayed yet
                self._waiting[step] = np.searchsorted(self.sources, some)
        for pathway in self._pathways():
            name = pathway.synapses.name
            if name in self._members:
                ages, places = spikes_of(self._members[name], steps, ids, now - self._lag)
                put_in_flight(pathway, ages[ages > 0], places[ages > 0])
            else:
                members = self._arrays.groups[self._models[pathway.source]].ids
                put_in_flight(pathway, *spikes_of(members, steps, ids, now))
