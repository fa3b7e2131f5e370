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

    `ids`: global id of every neuron, shape (n,) int64. `values`: by variable, shape (n,); where the program has one
    number for all, the first is meant.
    """

    n: int
    ids: NDArray[np.int64]
    values: dict[str, NDArray[Any]]


@dataclass(frozen=True)
class SynapsesArrays:
    """Edges of one object in the order (source, delay, target), indices within the groups, `delay` in network steps.

    Edges of one source with one delay are neighbours: they are delivered together. `values`: by variable, shape
    (edges,), or a float where all are equal.
    """

    pre: I32
    post: I32
    delay: I32
    values: dict[str, F64 | float]

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
    """The arrays of a network for its program; faster functions with equal results may stand for `order`, `arrange`."""

    def __init__(
        self, network: NetworkIR, program: Program, order: Order = by_source, arrange: Arrange = arrange
    ) -> None:
        self._network = network
        self._program = program
        self._order_of = order
        self._arrange = arrange
        self._joined: dict[str, ProjectionIR | ContinuousIR] = {**network.projections, **network.continuous}
        self.offset: dict[str, int] = {}
        self.groups: dict[str, GroupArrays] = {}
        self._ends: dict[str, tuple[I32, I32]] = {}
        self._members = populations_by_model(network)
        for text in program.groups:
            self.groups[text.model] = self._group(text)

    def _group(self, text: GroupText) -> GroupArrays:
        populations, network = self._members[text.model], self._network
        at = 0
        for population in populations:
            self.offset[population.name] = at
            at += population.n
        ids = np.concatenate([np.arange(p.first, p.last) for p in populations])
        values: dict[str, NDArray[Any]] = {"alive": np.ones(at, dtype=bool)}
        if text.draws:
            keys = [hashes(stream(network.seed, f"draw/{p.name}"), np.arange(p.n)).view(np.int64) for p in populations]
            values["draw_key"] = np.concatenate(keys)
        for kind in ("parameters", "initial"):
            for name in {key: None for p in populations for key in getattr(p, kind)}:
                array = np.zeros(at)
                for p in populations:
                    given = getattr(p, kind).get(name)
                    if given is not None:
                        array[self.offset[p.name] :][: p.n] = getattr(given, "values", given)
                values[name] = array
        return GroupArrays(at, ids, values)

    def synapses(self, text: SynapsesText | SummedText) -> SynapsesArrays:
        """The edges of one object; built anew at each call, because they are many."""
        blocks, pre, post, delay = self._stack(text.projections)
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
        sizes = self.groups[text.source].n, self.groups[text.target].n
        pre, delay, post, arranged = self._arrange((pre, delay, post, list(columns.values())), *sizes)
        if any(self._joined[name].lesioned for name in text.projections):
            self._ends[text.name] = pre, post
        return SynapsesArrays(pre, post, delay, values | dict(zip(columns, arranged, strict=True)))

    def ends(self, text: SynapsesText | SummedText) -> tuple[I32, I32]:
        """pre and post of the edges of one object, in its order, indices within the groups.

        They are kept where the network says that a lesion will come, and drawn again otherwise.
        """
        if text.name in self._ends:
            return self._ends[text.name]
        edges = self.synapses(text)
        return edges.pre, edges.post

    def places(self, projection: str, edges: NDArray[np.bool_] | None = None) -> tuple[str, NDArray[np.int64]]:
        """The object of a projection, and where in it its edges lie: all, or those marked in its own list."""
        text = self._object(projection)
        one = self._joined[projection]
        pre, post = self.ends(text)
        found = np.flatnonzero(self._within(pre, one.source) & self._within(post, one.target))
        alike = [n for n in text.projections if self._between(n) == self._between(projection)]
        if len(alike) == 1 and edges is None:
            return text.name, found
        # whose they are can only be told by drawing them again; edges of one pair of populations lie in the object's
        # order among themselves too
        blocks, pre, post, delay = self._stack(alike)
        order = self._order_of(pre, delay, post, self.groups[text.source].n, self.groups[text.target].n)
        own = np.empty(len(order), dtype=np.int64)
        own[order] = found
        first = sum(len(e) for e in blocks[: alike.index(projection)])
        own = own[first : first + len(blocks[alike.index(projection)])]
        return text.name, own if edges is None else own[edges]

    def crossing(self, position: float) -> Iterator[tuple[str, NDArray[np.int64]]]:
        """By object: where in it the edges across `position` [m] lie."""
        y = {model: np.concatenate([p.y for p in members]) for model, members in self._members.items()}
        for text in self._program.joined:
            pre, post = self.ends(text)
            yield text.name, np.flatnonzero(crosses(y[text.source], y[text.target], pre, post, position))

    def _object(self, projection: str) -> SynapsesText | SummedText:
        for text in self._program.joined:
            if projection in text.projections:
                return text
        raise UserError(f"there is no projection '{projection}'")

    def _between(self, projection: str) -> tuple[str, str]:
        one = self._joined[projection]
        return one.source, one.target

    def _within(self, indices: I32, population: str) -> NDArray[np.bool_]:
        """Which indices within a group are those of one of its populations."""
        first = self.offset[population]
        return (indices >= first) & (indices < first + self._network.populations[population].n)

    @property
    def objects(self) -> tuple[SynapsesText | SummedText, ...]:
        """The objects that join groups."""
        return self._program.joined

    def _stack(self, projections: Sequence[str]) -> tuple[list[Edges], I32, I32, I32]:
        """Edges of one object, projection by projection: as built, and pre and post in group indices, and delay."""
        blocks, pre, post = [], [], []
        for name in projections:
            projection = self._joined[name]
            edges = projection.edges(0, self._network.populations[projection.target].n)
            blocks.append(edges)
            pre.append(_shifted(edges.pre, self.offset[projection.source]))
            post.append(_shifted(edges.post, self.offset[projection.target]))
        count = sum(len(e) for e in blocks)
        if count > MOST_SYNAPSES:
            raise UserError(f"{count} synapses are too many: {LIMITS['too many synapses']}")
        if len(blocks) == 1:
            return blocks, pre[0], post[0], blocks[0].delay
        return blocks, np.concatenate(pre), np.concatenate(post), np.concatenate([e.delay for e in blocks])


def _shifted(ids: I32, by: int) -> I32:
    return ids if by == 0 else ids + np.int32(by)
