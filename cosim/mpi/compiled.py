"""One rank's part of a network as compiled code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.mpi.exchange import NEVER
from cosim.mpi.state import EdgeKeys, Layout, edge_keys, spiking
from cosim.neural.arrays import SynapsesArrays
from cosim.neural.backend import Spikes
from cosim.neural.compiled import CompiledBackend
from cosim.neural.part import Part
from cosim.neural.program import SummedText, SynapsesText
from cosim.neural.snapshot import BOOKKEEPING, check_flight, spikes_of

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]


class CompiledShard(CompiledBackend):
    """See cosim.mpi.backend.ShardBackend."""

    def __init__(
        self, network: NetworkIR, steps_per_tick: int, part: Part, *, say: Callable[[str], None] | None = None
    ) -> None:
        self.shortest_delay, self.longest_delay = NEVER, 0
        self._remembered = 0
        self._sources_of: dict[str, I64] = {}
        self._keys: dict[str, EdgeKeys] = {}
        super().__init__(network, steps_per_tick, part=part, say=say)

    # ------------------------------------------------------------ loading

    def _loaded(self, text: SynapsesText | SummedText, edges: SynapsesArrays) -> None:
        if self._arrays.exchanged(text):
            self._sources_of[text.name] = edges.sources
            if len(edges):
                self.shortest_delay = min(self.shortest_delay, int(edges.delay.min()))
        if len(edges):
            self.longest_delay = max(self.longest_delay, int(edges.delay.max()))
        # keys are for snapshots: where those hold nothing of edges, they would double what an edge takes
        constant = {key.partition("/")[2] for key in self.entry.layout["constant"] if key.startswith(f"{text.name}/")}
        own = {e["variable"] for e in self.entry.layout["arrays"] if e["owner"] == text.name and "edges" in e["size"]}
        if any(not name.startswith("_") for name in own - constant - BOOKKEEPING):
            self._keys[text.name] = edge_keys(edges, self._arrays.groups[text.target].ids)

    def _heard(self, queues: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
        """Queues of one group of sources share its list: all neurons of the group that have an edge here."""
        layout = self.entry.layout["queues"]
        models: dict[str, list[str]] = {}
        for queue in layout:
            if queue["kind"] == "pre" and queue["object"] in self._sources_of:
                models.setdefault(queue["source"], []).append(queue["object"])
        heard = {m: np.unique(np.concatenate([self._sources_of[o] for o in names])) for m, names in models.items()}
        lists = list(heard.values())
        none = np.empty(0, dtype=np.int64)
        ids = np.concatenate([none, *lists])
        order = np.argsort(ids)
        self.sources: I32 = ids[order].astype(np.int32)
        group = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
        place = np.concatenate([none, *(np.arange(len(one)) for one in lists)])
        where = np.stack([group, place], axis=1)[order].astype(np.int32)
        self._running.sources(len(lists), where if len(lists) > 1 else None)
        self._members = heard
        number = {model: k for k, model in enumerate(heard)}
        out = []
        for index, first, rows, row_order, n_slots in queues:
            queue = layout[index]
            if queue["kind"] == "pre" and queue["object"] in self._sources_of:
                own = self._sources_of[queue["object"]]
                at = np.searchsorted(own, heard[queue["source"]])
                first = np.append(first[at], first[-1]).astype(np.int32)
                self._running.exchanged(index, number[queue["source"]])
            out.append((index, first, rows, row_order, n_slots))
        return out

    def _name_spikes(self, ids: list[I32]) -> None:
        self.own: I32 = np.sort(np.concatenate([np.empty(0, dtype=np.int32), *ids]))
        numbers = [np.searchsorted(self.own, one).astype(np.int32) for one in ids]
        self._running.ids(numbers, sort=len(ids) > 1)

    def route(self, n_ranks: int, first: I64, rank: I32, number: I32) -> None:
        self._running.route(n_ranks, self.own, first, rank, number)

    # ------------------------------------------------------------ running

    def steps(self, n: int, *, begins: bool, ends: bool) -> None:
        self._n_spikes = self._running.steps(n, begins=begins, ends=ends)
        self._held = None

    def messages(self, sent: I64, received: I64) -> tuple[Callable[[], int], Callable[[], int]]:
        return self._running.messages(sent, received)

    def rest(self, rank: int, n: int) -> I64:
        return self._running.rest(rank, n)

    def incoming(self, counts: I64, spikes: I64) -> None:
        self._running.incoming(counts, spikes)

    def numbers(self, out: I64) -> int:
        return self._running.numbers(out)

    def merge(self, counts: I64, numbers: I64) -> Spikes:
        return self._running.merge(counts, numbers)

    # ------------------------------------------------------------ state

    def open(self, epoch: int, longest: int) -> None:
        self._remembered = longest
        self._running.remember(longest)

    def layout(self) -> Layout:
        sizes = {f"{e['owner']}/{e['variable']}": e["size"] for e in self.entry.layout["arrays"]}
        return Layout({key: tuple(sizes[key]) for key, _ in self._saved()}, self._keys)

    def _put_in_flight(self, saved: Mapping[str, NDArray[Any]], now: int) -> None:
        steps, ids = check_flight(saved, now, self._remembered, spiking(self._network))
        own = np.isin(ids, self.own)
        self._running.set_history(steps[own], ids[own])
        groups = self._arrays.groups
        for index, queue in enumerate(self.entry.layout["queues"]):
            if queue["kind"] == "pre":
                exchanged = queue["object"] in self._sources_of
                members = self._members[queue["source"]] if exchanged else groups[queue["source"]].ids
                self._running.push_again(index, *spikes_of(members, steps, ids, now))
