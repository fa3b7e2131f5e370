"""What a run loads into a program: sizes, edges, delays, values and masks, in the order of the program's objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import UserError
from cosim.graph.ir import ContinuousIR, Edges, NetworkIR, ProjectionIR
from cosim.graph.lesion import crosses
from cosim.graph.random import hashes, stream
from cosim.neural.limits import LIMITS, MOST_SYNAPSES
from cosim.neural.part import Part
from cosim.neural.program import GroupText, Program, SummedText, SynapsesText, populations_by_model

I32 = NDArray[np.int32]
F64 = NDArray[np.float64]
#: (pre, delay, post, further columns), each of shape (edges,)
EdgeArrays = tuple[I32, I32, I32, list[F64]]
Order = Callable[[I32, I32, I32, int, int], NDArray[Any]]
Arrange = Callable[[EdgeArrays, int, int], EdgeArrays]


@dataclass(frozen=True)
class GroupArrays:
    """Sizes and values of one group.

    `ids`: global id of every neuron, shape (n,) int64; `index`: its place in the group of the whole network.
    `values`: by variable, shape (n,), or (1,) where n is 0; where the program has one number for all, the first is
    meant.
    """

    n: int
    ids: NDArray[np.int64]
    index: I32
    values: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class SynapsesArrays:
    """Edges of one object in the order (source, delay, target), `delay` in network steps.

    `post` are indices within the target's group, `pre` indices into `sources`, the global ids of neurons that the
    object
    may hear from, ascending. Edges of one source with one delay are neighbours: they are delivered together. `values`:
    by variable, shape (edges,), or a float where all are equal.
    """

    pre: I32
    post: I32
    delay: I32
    values: dict[str, F64 | float]
    sources: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.pre)


def by_source(pre: I32, delay: I32, post: I32, n_pre: int, n_post: int) -> NDArray[Any]:
    """The order (source, delay, target) of edges; those alike in all three keep their order."""
    order: NDArray[np.int64] = np.lexsort((post, delay, pre))
    return order


def arrange(edges: EdgeArrays, n_pre: int, n_post: int) -> EdgeArrays:
    """Edges and what belongs to them in the order (source, delay, target)."""
    pre, delay, post, columns = edges
    order = by_source(pre, delay, post, n_pre, n_post)
    return pre[order], delay[order], post[order], [column[order] for column in columns]


class Arrays:
    """The arrays of a network for its program; faster functions with equal results may stand for `order`, `arrange`.

    With a `part`, those of the neurons that are here and the edges onto them. An object whose spikes are exchanged then
    knows only sources that have an edge here; any other has the whole group, or what is here of it, as its sources.
    """

    def __init__(
        self,
        network: NetworkIR,
        program: Program,
        order: Order = by_source,
        arrange: Arrange = arrange,
        part: Part | None = None,
    ) -> None:
        self._network = network
        self._program = program
        self.part = part or Part.whole(network)
        self._order_of = order
        self._arrange = arrange
        self._joined: dict[str, ProjectionIR | ContinuousIR] = {**network.projections, **network.continuous}
        self.offset: dict[str, int] = {}
        self.groups: dict[str, GroupArrays] = {}
        self._ends: dict[str, tuple[I32, I32, NDArray[np.int64]]] = {}
        self._members = populations_by_model(network)
        for text in program.groups:
            self.groups[text.model] = self._group(text)

    def _group(self, text: GroupText) -> GroupArrays:
        populations, network, bounds = self._members[text.model], self._network, self.part.bounds
        at = 0
        for population in populations:
            self.offset[population.name] = at
            at += self.part.size(population)
        ids = np.concatenate([p.first + np.arange(*bounds[p.name]) for p in populations])
        values: dict[str, NDArray[Any]] = {"alive": np.ones(at, dtype=bool)}
        if not at:
            # nobody is here: one neuron that never lives keeps the numbers that all share
            bounds = {**bounds, populations[0].name: (0, 1)}
            values["alive"] = np.zeros(1, dtype=bool)
        if text.draws:
            keys = [hashes(stream(network.seed, f"draw/{p.name}"), np.arange(*bounds[p.name])) for p in populations]
            values["draw_key"] = np.concatenate([key.view(np.int64) for key in keys])
        for kind in ("parameters", "initial"):
            for name in {key: None for p in populations for key in getattr(p, kind)}:
                array = np.zeros(len(values["alive"]))
                for p in populations:
                    given = getattr(p, kind).get(name)
                    if given is not None:
                        lo, hi = bounds[p.name]
                        array[self.offset[p.name] :][: hi - lo] = getattr(given, "values", given)[lo:hi]
                values[name] = array
        before = np.cumsum([0, *(p.n for p in populations)])
        index = np.concatenate(
            [first + np.arange(*self.part.bounds[p.name]) for first, p in zip(before, populations, strict=False)]
        )
        return GroupArrays(at, ids, index.astype(np.int32), values)

    def exchanged(self, text: SynapsesText | SummedText) -> bool:
        """Whether the spikes of an object's sources come through an exchange."""
        return self.part.shared and isinstance(text, SynapsesText) and text.projections[0] not in self.part.together

    def synapses(self, text: SynapsesText | SummedText) -> SynapsesArrays:
        """The edges of one object; built anew at each call, because they are many."""
        exchanged = self.exchanged(text)
        blocks, pre, post, delay = self._stack(text.projections, exchanged)
        values: dict[str, F64 | float] = {}
        columns: dict[str, F64] = {}
        for name in blocks[0].parameters:
            parts = [e.parameters[name] for e in blocks]
            array = parts[0] if len(parts) == 1 else np.concatenate(parts)
            if len(array) and (array == array[0]).all():
                values[name] = float(array[0])
            else:
                columns[name] = array
        starts = [getattr(self._joined[name], "initial", {}) for name in text.projections]
        for key in {key: None for initial in starts for key in initial}:
            numbers = [float(initial.get(key, 0.0)) for initial in starts]
            if len(set(numbers)) == 1:
                values[key] = numbers[0]
            else:
                columns[key] = np.repeat(numbers, [len(e) for e in blocks])
        sources = self.groups[text.source].ids
        if exchanged:
            pre, sources = _used(pre, self._network.n)
        sizes = len(sources), self.groups[text.target].n
        pre, delay, post, arranged = self._arrange((pre, delay, post, list(columns.values())), *sizes)
        if any(self._joined[name].lesioned for name in text.projections):
            self._ends[text.name] = pre, post, sources
        return SynapsesArrays(pre, post, delay, values | dict(zip(columns, arranged, strict=True)), sources)

    def ends(self, text: SynapsesText | SummedText) -> tuple[I32, I32, NDArray[np.int64]]:
        """`pre`, `post` and `sources` of one object (see SynapsesArrays).

        They are kept where the network says that a lesion will come, and drawn again otherwise.
        """
        if text.name in self._ends:
            return self._ends[text.name]
        edges = self.synapses(text)
        return edges.pre, edges.post, edges.sources

    def places(self, projection: str, edges: NDArray[np.bool_] | None = None) -> tuple[str, NDArray[np.int64]]:
        """The object of a projection, and where in it its edges lie: all, or those marked in its own list."""
        text = self._object(projection)
        one = self._joined[projection]
        pre, post, sources = self.ends(text)
        targets = self.groups[text.target].ids
        found = np.flatnonzero(self._within(sources, one.source)[pre] & self._within(targets, one.target)[post])
        alike = [n for n in text.projections if self._between(n) == self._between(projection)]
        if len(alike) == 1 and edges is None:
            return text.name, found
        # whose they are can only be told by drawing them again; edges of one pair of populations lie in the object's
        # order among themselves too
        blocks, pre, post, delay = self._stack(alike, True)
        order = self._order_of(pre, delay, post, self._network.n, self.groups[text.target].n)
        own = np.empty(len(order), dtype=np.int64)
        own[order] = found
        first = sum(len(e) for e in blocks[: alike.index(projection)])
        own = own[first : first + len(blocks[alike.index(projection)])]
        return text.name, own if edges is None else own[edges]

    def crossing(self, position: float) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """By object: where in it the edges across `position` [m] lie."""
        y = np.concatenate([p.y for p in self._network.populations.values()])
        for text in self._program.joined:
            pre, post, sources = self.ends(text)
            yield text.name, np.flatnonzero(crosses(y[sources], y[self.groups[text.target].ids], pre, post, position))

    def _object(self, projection: str) -> SynapsesText | SummedText:
        for text in self._program.joined:
            if projection in text.projections:
                return text
        raise UserError(f"there is no projection '{projection}'")

    def _between(self, projection: str) -> tuple[str, str]:
        one = self._joined[projection]
        return one.source, one.target

    def _within(self, ids: NDArray[np.int64], population: str) -> NDArray[np.bool_]:
        """Which global ids are those of a population."""
        one = self._network.populations[population]
        return (ids >= one.first) & (ids < one.last)

    @property
    def objects(self) -> tuple[SynapsesText | SummedText, ...]:
        """The objects that join groups."""
        return self._program.joined

    def _stack(self, projections: Sequence[str], by_id: bool) -> tuple[list[Edges], I32, I32, I32]:
        """Edges of one object, projection by projection: as built, `pre` as global ids or indices within what is
        here of the group, `post` as indices within the group, and delay."""
        blocks, pre, post = [], [], []
        for name in projections:
            projection = self._joined[name]
            lo, hi = self.part.bounds[projection.target]
            edges = projection.edges(lo, hi)
            blocks.append(edges)
            first = self._network.populations[projection.source].first
            here = self.offset[projection.source] - self.part.bounds[projection.source][0]
            pre.append(_shifted(edges.pre, first if by_id else here))
            post.append(_shifted(edges.post, self.offset[projection.target] - lo))
            self._check_delays(name, edges)
        count = sum(len(e) for e in blocks)
        if count > MOST_SYNAPSES:
            raise UserError(f"{count} synapses are too many: {LIMITS['too many synapses']}")
        if len(blocks) == 1:
            return blocks, pre[0], post[0], blocks[0].delay
        return blocks, np.concatenate(pre), np.concatenate(post), np.concatenate([e.delay for e in blocks])

    def _check_delays(self, name: str, edges: Edges) -> None:
        if not self.part.shared or name in self.part.together or name not in self._network.projections:
            return
        if len(edges) and not edges.delay.all():
            raise UserError(
                f"projection '{name}' has delays of less than one network step ({1e3 * self._network.dt:g} ms), which "
                "cannot cross ranks: give it a delay, or run on one process"
            )


def _used(ids: I32, n: int) -> tuple[I32, NDArray[np.int64]]:
    """Global ids -> indices into those that occur, and these, ascending."""
    there = np.zeros(n, dtype=bool)
    there[ids] = True
    found = np.flatnonzero(there)
    place = np.zeros(n, dtype=np.int32)
    place[found] = np.arange(len(found), dtype=np.int32)
    return place[ids], found


def _shifted(ids: I32, by: int) -> I32:
    return ids if by == 0 else ids + np.int32(by)
