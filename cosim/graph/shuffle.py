"""Degree-preserving shuffles: the edges are dealt anew so that every neuron keeps its in- and outdegree.

In each of some rounds all edges are paired at random, a -> b with c -> d, and every pair becomes a -> d, c -> b, unless
an edge would come to exist twice or begin and end at one neuron, or another pair proposes the same edge (Maslov &
Sneppen 2002, doi:10.1126/science.1065103, with as many swaps at once as there are pairs). An edge keeps its source and
takes its numbers along: outdegree, indegree, and the counts and signs that leave a neuron are kept; what arrives at a
neuron in sum is not. The pairs are a function of (key, round, edge), so every process finds the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosim.graph.random import hashes

I64 = NDArray[np.int64]
I32 = NDArray[np.int32]

#: proposals for every edge; more change nothing that could be measured (tests/graph/test_shuffle.py)
ROUNDS = 10


def permutation(key: np.uint64, turn: int, n: int) -> I64:
    """A random order of 0 to n - 1, a function of (key, turn)."""
    bits = max(int(n - 1).bit_length(), 1)
    index = np.arange(n, dtype=np.uint64)
    # the index in the low bits makes all values distinct: any way of sorting gives the same order
    packed = (hashes(key, np.array([turn]), index) >> np.uint64(bits) << np.uint64(bits)) | index
    packed.sort()
    return (packed & np.uint64((1 << bits) - 1)).astype(np.int64)


def shuffle_targets(
    pre: I32, post: I32, key: np.uint64, *, same: bool, blocks: NDArray[np.integer] | None = None
) -> I32:  # fmt: skip
    """New targets of edges, shape (n,).

    Parameters
    ----------
    pre, post: the edges, in an order that does not depend on who asks.
    same: sources and targets are one population; no edge from a neuron to itself is made.
    blocks: edges swap targets only with edges of their own block, e.g. of the same two sides.
    """
    post = post.copy()
    width = np.int64(pre.max(initial=-1)) + 1
    for turn in range(ROUNDS):
        first, second = _partners(key, turn, len(pre), blocks)
        a, b, c, d = pre[first], post[first], pre[second], post[second]
        free = ~_clashes(post * width + pre, d * width + a, b * width + c)
        if same:
            free &= (a != d) & (c != b)
        post[first[free]], post[second[free]] = d[free], b[free]
    return post


def shuffle_symmetric(one: I32, other: I32, key: np.uint64) -> tuple[I32, I32]:
    """New ends of undirected edges between different neurons, shape (n,) each: every neuron keeps its degree."""
    one, other = one.copy(), other.copy()
    width = np.int64(max(one.max(initial=-1), other.max(initial=-1))) + 1
    for turn in range(ROUNDS):
        flip = (hashes(key, np.array([ROUNDS + turn]), np.arange(len(one))) & np.uint64(1)).astype(bool)
        one, other = np.where(flip, other, one), np.where(flip, one, other)
        first, second = _partners(key, turn, len(one), None)
        a, b, c, d = one[first], other[first], one[second], other[second]
        free = ~_clashes(_undirected(one, other, width), _undirected(a, d, width), _undirected(c, b, width))
        free &= (a != d) & (c != b)
        other[first[free]], other[second[free]] = d[free], b[free]
    return one, other


def _undirected(one: I32, other: I32, width: np.int64) -> I64:
    found: I64 = np.minimum(one, other) * width + np.maximum(one, other)
    return found


def _partners(key: np.uint64, turn: int, n: int, blocks: NDArray[np.integer] | None) -> tuple[I64, I64]:
    """Pairs of edges; each edge is in one pair at most."""
    order = permutation(key, turn, n)
    if blocks is not None:
        order = order[np.argsort(blocks[order], kind="stable")]
    first, second = order[: n - 1 : 2], order[1::2]
    if blocks is not None:
        together = blocks[first] == blocks[second]
        first, second = first[together], second[together]
    return first, second


def _clashes(there: I64, one: I64, other: I64) -> NDArray[np.bool_]:
    """Which proposals (the edges `one[i]` and `other[i]`) hold an edge that is there, or that is proposed twice."""
    everything = np.concatenate([there, one, other])
    everything.sort()
    twice = everything[1:][everything[1:] == everything[:-1]]
    del everything
    if not len(twice):
        return np.zeros(len(one), dtype=bool)
    return _among(one, twice) | _among(other, twice)


_TABLE = 1 << 22


def _among(values: I64, ordered: I64) -> NDArray[np.bool_]:
    """Which values are in the few ordered ones; most are told apart by their low bits, without a search."""
    table = np.zeros(_TABLE, dtype=bool)
    table[ordered & (_TABLE - 1)] = True
    found: NDArray[np.bool_] = table[values & (_TABLE - 1)]
    candidates = np.flatnonzero(found)
    place = np.minimum(np.searchsorted(ordered, values[candidates]), len(ordered) - 1)
    found[candidates] = ordered[place] == values[candidates]
    return found
