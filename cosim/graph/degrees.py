"""Random wiring with given unequal degrees: a number of edges, dealt to the neurons in proportion to drawn numbers.

A target's number of sources follows from all targets' numbers; who they are is a function of (seed, projection,
target): draws in proportion to the sources' numbers, until there are as many distinct ones as wanted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cosim.graph.connect import neuron_scope, pair_scope, sides_joined
from cosim.graph.ir import PopulationIR
from cosim.graph.random import F64, hashes, stream, to_unit
from cosim.graph.values import blocks, names_in, realise
from cosim.spec.circuit import DegreesSpec, Draw
from cosim.spec.units import NONE, Dim, Expression, Scope, UnitError, Value

I64 = NDArray[np.int64]
_BLOCK = 1 << 17  # edges drawn at once: what belongs to them fits the cache


@dataclass(frozen=True)
class Alias:
    """Picks numbers in proportion to their weights in constant time (Walker 1977, doi:10.1145/355744.355749)."""

    stay: F64
    other: NDArray[np.int32]

    @classmethod
    def of(cls, weights: F64) -> Alias:
        """The table for weights of shape (n,), none of them negative and not all zero."""
        n = len(weights)
        # a cumulative sum is added up in one order on every machine
        share = (weights * (n / np.cumsum(weights)[-1])).tolist()
        stay, other = [1.0] * n, list(range(n))
        low = [i for i, value in enumerate(share) if value < 1.0]
        high = [i for i, value in enumerate(share) if value >= 1.0]
        while low and high:
            small, large = low.pop(), high[-1]
            stay[small], other[small] = share[small], large
            share[large] -= 1.0 - share[small]
            if share[large] < 1.0:
                low.append(high.pop())
        return cls(np.array(stay), np.array(other, dtype=np.int32))

    def pick(self, u: F64) -> I64:
        """The number that every u in (0, 1) stands for."""
        scaled = u * len(self.stay)
        place = scaled.astype(np.int64)
        return np.where(scaled - place < self.stay[place], place, self.other[place])


@dataclass(frozen=True, eq=False)
class Degrees:
    """The edges of a projection with the rule `degrees`; see cosim.graph.source.EdgeSource."""

    spec: DegreesSpec
    autapses: bool
    source: PopulationIR
    target: PopulationIR
    side: str
    seed: int
    name: str
    scope: Scope

    @property
    def columns(self) -> Mapping[str, Dim]:
        return {} if self.spec.count is None else {"count": NONE}

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """The edges of a range of targets. Raises UnitError where a target wants more sources than there are."""
        parts = [
            self._onto(pre_side, post_side[(post_side >= lo) & (post_side < hi)])
            for pre_side, post_side in sides_joined(self.source, self.target, self.side)
        ]
        pre, post = (np.concatenate([part[end] for part in parts]) for end in (0, 1))
        if len(parts) > 1:
            order = np.lexsort((pre, post))
            pre, post = pre[order], post[order]
        return pre, post, self._counts(pre, post)

    @cached_property
    def indegree(self) -> I64:
        """Number of sources of every target, shape (n,); their sum is the number of edges."""
        share = np.cumsum(self._drawn(self.spec.incoming, self.target, "in"))
        ends = np.rint(share * (self.spec.edges / share[-1]))
        ends[-1] = self.spec.edges
        return np.diff(ends, prepend=0.0).astype(np.int64)

    @cached_property
    def _attraction(self) -> F64:
        return self._drawn(self.spec.outgoing, self.source, "out")

    def _drawn(self, value: Draw | Expression | None, population: PopulationIR, key: str) -> F64:
        """What `in` or `out` is for every neuron, shape (n,)."""
        n = population.n
        if value is None:
            return np.ones(n)
        scope = {**self.scope, **neuron_scope(population, slice(None))}
        random = stream(self.seed, f"projection/{self.name}/degrees/{key}")
        drawn = realise(value, scope, n, NONE, random, np.arange(n))
        if not (drawn >= 0).all() or not 0 < drawn.sum() < np.inf:
            raise UnitError(f"degrees: '{key}' must not be negative, and not zero or infinite for all")
        return drawn

    def _onto(self, sources: I64, targets: I64) -> tuple[I64, I64]:
        """All edges onto some targets, sorted by (target, source)."""
        want = self.indegree[targets]
        attraction = self._attraction[sources]
        there = int(np.count_nonzero(attraction)) - (0 if self._loops else 1)
        if len(want) and want.max() > there:
            worst = int(targets[want.argmax()])
            found = f"neuron {worst} would have {want.max()} sources of the {there} there are"
            raise UnitError(f"degrees: {found}; clip 'in'")
        if not want.any():
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        table = Alias.of(attraction)
        pre, post = np.empty(want.sum(), dtype=np.int64), np.repeat(targets, want)
        ends = np.cumsum(want)
        first = done = 0
        while first < len(targets):
            last = max(int(np.searchsorted(ends, done + _BLOCK, "right")), first + 1)
            pre[done : ends[last - 1]] = self._block(table, sources, targets[first:last], want[first:last])
            first, done = last, int(ends[last - 1])
        return pre, post

    @property
    def _loops(self) -> bool:
        return self.autapses or self.source.name != self.target.name

    def _block(self, table: Alias, sources: I64, targets: I64, want: I64) -> I64:
        """The sources of a few targets, by target and source. They are the first distinct ones of an endless list."""
        keys = hashes(stream(self.seed, f"projection/{self.name}/connect"), targets)
        n = np.int64(self.source.n)
        found = np.empty(0, dtype=np.int64)  # row of the target * n + source
        drawn = np.zeros(len(targets), dtype=np.int64)
        missing = want
        while missing.any():
            rows = np.repeat(np.arange(len(targets)), missing)
            place = np.arange(len(rows)) - np.repeat(np.cumsum(missing) - missing, missing)
            picked = sources[table.pick(to_unit(hashes(keys[rows], drawn[rows] + place)))]
            if not self._loops:
                other = picked != targets[rows]
                rows, picked = rows[other], picked[other]
            found = _distinct(np.concatenate([found, rows * n + picked]))
            drawn = drawn + missing
            missing = want - np.bincount(found // n, minlength=len(targets))
        return found - np.repeat(np.arange(len(targets)) * n, want)

    def _counts(self, pre: I64, post: I64) -> dict[str, Value]:
        if self.spec.count is None:
            return {}
        random = stream(self.seed, f"projection/{self.name}/count")
        names = names_in(self.spec.count)
        count = np.empty(len(pre))
        for part in blocks(len(pre)):
            ends = pre[part], post[part]
            scope = {**self.scope, **pair_scope(self.source, self.target, *ends, "y", names)}
            drawn = realise(self.spec.count, scope, len(ends[0]), NONE, random, ends[1], ends[0])
            np.maximum(np.ceil(drawn), 1.0, out=count[part])
        return {"count": Value(count)}


def _distinct(numbers: I64) -> I64:
    """The numbers in ascending order, each once."""
    numbers.sort()
    keep = np.ones(len(numbers), dtype=bool)
    keep[1:] = numbers[1:] != numbers[:-1]
    distinct: I64 = numbers[keep]
    return distinct
