"""The edges of any source, dealt anew (``cosim.graph.shuffle``): what a shuffled projection has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import PopulationIR
from cosim.graph.shuffle import shuffle_symmetric, shuffle_targets
from cosim.spec.units import Dim, Value

if TYPE_CHECKING:
    from cosim.graph.source import EdgeSource

I32 = NDArray[np.int32]
I64 = NDArray[np.int64]
_TARGETS = 8192  # asked for at once


@dataclass(frozen=True)
class _Edges:
    """All edges by (post, pre), their columns in the smallest type that holds them."""

    pre: I32
    post: I32
    columns: dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class Shuffled:
    """A source whose edges have other targets.

    The shuffle is of all edges, so the first request makes them all, in every process; afterwards they are rows like
    any others. `by_side` keeps the sides of source and target; `junctions`: where every edge has its mirror image, with
    the same numbers, both get new ends together.
    """

    inner: EdgeSource
    source: PopulationIR
    target: PopulationIR
    key: np.uint64
    by_side: bool
    junctions: bool

    @property
    def columns(self) -> Mapping[str, Dim]:
        return self.inner.columns

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """The shuffled edges of a range of targets."""
        edges = self._edges
        a, b = np.searchsorted(edges.post, (lo, hi))
        found = {
            name: Value(values[a:b].astype(np.float64), self.columns[name]) for name, values in edges.columns.items()
        }
        return edges.pre[a:b].astype(np.int64), edges.post[a:b].astype(np.int64), found

    @cached_property
    def _edges(self) -> _Edges:
        edges = self._unshuffled()
        same = self.source.name == self.target.name
        if self.junctions and same:
            mirror = _mirror(edges, self.source.n)
            if mirror is not None:
                return self._both_ends(edges, mirror)
        blocks = None
        if self.by_side:
            sides = len(self.target.sides)
            blocks = self.source.side[edges.pre].astype(np.int32) * sides + self.target.side[edges.post]
        post = shuffle_targets(edges.pre, edges.post, self.key, same=same, blocks=blocks)
        return _sorted(edges.pre, post, edges.columns, self.source.n)

    def _unshuffled(self) -> _Edges:
        parts = []
        for lo in range(0, self.target.n, _TARGETS):
            pre, post, found = self.inner.rows(lo, min(lo + _TARGETS, self.target.n))
            small = {name: _small(np.asarray(value.value)) for name, value in found.items()}
            parts.append(_Edges(pre.astype(np.int32), post.astype(np.int32), small))
        columns: dict[str, NDArray[Any]] = {
            name: np.concatenate([part.columns[name] for part in parts]) for name in self.columns
        }
        pre, post = (np.concatenate([getattr(part, end) for part in parts]) for end in ("pre", "post"))
        return _Edges(pre, post, columns)

    def _both_ends(self, edges: _Edges, mirror: I64) -> _Edges:
        """Junctions between two neurons are shuffled, those of a neuron with itself stay."""
        first = np.flatnonzero(edges.pre < edges.post)
        own = np.flatnonzero(edges.pre == edges.post)
        one, other = shuffle_symmetric(edges.pre[first], edges.post[first], self.key)
        pre = np.concatenate([one, other, edges.pre[own]])
        post = np.concatenate([other, one, edges.post[own]])
        rows = np.concatenate([first, mirror[first], own])
        return _sorted(pre, post, {name: values[rows] for name, values in edges.columns.items()}, self.source.n)


def _sorted(pre: I32, post: I32, columns: dict[str, NDArray[Any]], n_pre: int) -> _Edges:
    order = np.argsort(post.astype(np.int64) * n_pre + pre, kind="stable")
    return _Edges(pre[order], post[order], {name: values[order] for name, values in columns.items()})


def _small(values: NDArray[np.float64]) -> NDArray[Any]:
    """Whole numbers as int32 (15 million edges have several columns)."""
    with np.errstate(invalid="ignore"):
        whole = values.astype(np.int32)
    return whole if np.array_equal(whole, values) else values


def _mirror(edges: _Edges, n: int) -> I64 | None:
    """Of every edge the one in the other direction, None where one has none, or other numbers.

    A sign is that of the presynaptic cell, which a junction does not have: it does not count.
    """
    there = edges.post.astype(np.int64) * n + edges.pre
    order = np.argsort(edges.pre.astype(np.int64) * n + edges.post, kind="stable")
    back = edges.pre[order].astype(np.int64) * n + edges.post[order]
    alike = np.array_equal(there, back) and (len(there) < 2 or bool((np.diff(there) > 0).all()))
    numbers = [values for name, values in edges.columns.items() if name != "sign"]
    if not alike or any((values != values[order]).any() for values in numbers):
        return None
    return order
