"""Which pairs are joined, per range of targets.

Each candidate pair has its own random number, a function of (seed, projection, target id, source id): wiring does
not depend on how targets are split, on other projections, or on lesions. Candidates of a distance kernel come from a
window of sources sorted along the axis, so the work grows with the number of pairs in reach and not with their product;
where few of these are joined, most are skipped, and it grows with the number of edges.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from cosim import exact
from cosim.graph.ir import PopulationIR
from cosim.graph.random import F64, exact_log, stream, uniforms
from cosim.spec.circuit import ConnectSpec, KernelSpec
from cosim.spec.units import NONE, Scope, UnitError, Value

I64 = NDArray[np.int64]
LENGTH = (1.0, 0, 0, 0, 0, 0, 0)
_BLOCK = 4_000_000  # pairs evaluated at once

_POSITIONS = {"y": "y", "start": "start", "end": "end"}


def neuron_scope(
    population: PopulationIR, ids: NDArray[np.integer] | slice, suffix: str = "", names: Collection[str] | None = None
) -> dict[str, Value]:  # fmt: skip
    """Variables of neurons for expressions: y, start, end, further coordinates [m], side, side_sign, segment, pool,
    i; and the numbers that a connectome has of them. With `names` only those."""
    values = {name: (value.value, value.dim) for name, value in population.columns.items()}
    values |= {name: (getattr(population, field), LENGTH) for name, field in _POSITIONS.items()}
    values |= {name: (place, LENGTH) for name, place in population.coordinates.items()}
    values |= {name: (getattr(population, name), NONE) for name in ("side", "segment", "pool")}
    values |= {"side_sign": (population.side, NONE), "i": (np.arange(population.n), NONE)}
    scope = {
        name + suffix: Value(np.asarray(array[ids], dtype=np.float64), dim)
        for name, (array, dim) in values.items()
        if names is None or name + suffix in names
    }
    sign = scope.get("side_sign" + suffix)
    if sign is not None:
        scope["side_sign" + suffix] = Value(1.0 - 2.0 * sign.value)
    return scope


def pair_scope(
    source: PopulationIR, target: PopulationIR, pre: I64, post: I64, over: str, names: Collection[str] | None = None
) -> dict[str, Value]:  # fmt: skip
    """Variables of pairs: the neuron variables with _pre and _post, and the distance d [m] along `over`; with `names`
    those at least."""
    if names is not None and "d" in names:
        names = {*names, over + "_pre", over + "_post"}
    scope = neuron_scope(source, pre, "_pre", names) | neuron_scope(target, post, "_post", names)
    if names is None or "d" in names:
        scope["d"] = Value(np.abs(scope[over + "_pre"].value - scope[over + "_post"].value), LENGTH)
    return scope


def sides_joined(source: PopulationIR, target: PopulationIR, side: str) -> Iterator[tuple[I64, I64]]:
    """Ids of the sources and targets that may be joined, side by side."""
    if side == "any":
        yield np.arange(source.n), np.arange(target.n)
        return
    for t in range(len(target.sides)):
        s = t if side == "same" else 1 - t
        yield np.flatnonzero(source.side == s), np.flatnonzero(target.side == t)


def _widths(kernel: KernelSpec) -> tuple[float, float]:
    shape = kernel.gaussian or kernel.saturated or kernel.exponential
    assert shape is not None
    return shape.rostral, shape.caudal


def kernel_factor(
    kernel: KernelSpec, source: PopulationIR, target: PopulationIR, pre: I64, post: I64
) -> F64:  # fmt: skip
    """The kernel's value for each pair, in [0, 1] (KernelSpec documents the shapes)."""
    if kernel.trapezoid is not None:
        up = np.array([kernel.trapezoid.up[p] for p in source.pools])[source.pool[pre]]
        down = np.array([kernel.trapezoid.down[p] for p in source.pools])[source.pool[pre]]
        y, y0, y1 = target.y[post], source.start[pre], source.end[pre]
        with np.errstate(divide="ignore", invalid="ignore"):
            rise = np.where(up > 0, (y - (y0 - up / 2)) / up, np.where(y >= y0, 1.0, 0.0))
            fall = np.where(down > 0, ((y1 + down / 2) - y) / down, np.where(y < y1, 1.0, 0.0))
        return np.asarray(np.clip(np.minimum(rise, fall), 0.0, 1.0))
    at = _coordinate(source, kernel.over)[pre]
    to = _coordinate(target, kernel.over)[post]
    rostral, caudal = _widths(kernel)
    # the direction is decided on y itself, the distance on the coordinate that the kernel names
    s = np.where(source.y[pre] >= target.y[post], rostral, caudal)
    d = np.abs(at - to)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if kernel.exponential is not None:
            shape = np.exp(-d / s)
        else:
            shape = np.exp(-(d * d) / (2.0 * s * s))
        if kernel.saturated is not None:
            shape = np.tanh(kernel.saturated.steepness * shape)
    shape = np.where(s > 0, shape, 0.0)
    return np.asarray(np.where(d <= kernel.truncate * max(rostral, caudal), shape, 0.0))


def _coordinate(population: PopulationIR, name: str) -> F64:
    return population.y if name == "y" else population.coordinates[name]


def _windows(
    kernel: KernelSpec | None, source: PopulationIR, target: PopulationIR, pre: I64, post: I64
) -> tuple[I64, I64, I64]:
    """Sources in order of their coordinate and, per target, the range [lo, hi) of them in reach."""
    if kernel is None or kernel.trapezoid is not None:
        return pre, np.zeros(len(post), dtype=np.int64), np.full(len(post), len(pre), dtype=np.int64)
    at = _coordinate(source, kernel.over)[pre]
    order = np.argsort(at, kind="stable")
    at, reach = at[order], kernel.truncate * max(_widths(kernel))
    to = _coordinate(target, kernel.over)[post]
    return pre[order], np.searchsorted(at, to - reach, "left"), np.searchsorted(at, to + reach, "right")


def _candidates(ordered: I64, lo: I64, hi: I64, post: I64) -> Iterator[tuple[I64, I64]]:
    """(pre, post) of all pairs in the windows, in blocks of bounded size."""
    counts = hi - lo
    ends = np.cumsum(counts)
    first = 0
    while first < len(post):
        done = ends[first - 1] if first else 0
        last = max(int(np.searchsorted(ends, done + _BLOCK, "right")), first + 1)
        block = counts[first:last]
        offsets = np.repeat(lo[first:last] - (np.cumsum(block) - block), block)
        yield ordered[np.arange(int(block.sum())) + offsets], np.repeat(post[first:last], block)
        first = last


def _by_probability(
    connect: ConnectSpec, source: PopulationIR, target: PopulationIR, side: str, key: np.uint64, scope: Scope,
    lo: int, hi: int,
) -> Iterator[tuple[I64, I64]]:  # fmt: skip
    kernel = connect.kernel
    over = kernel.over if kernel is not None else "y"
    for pre_side, post_side in sides_joined(source, target, side):
        post_side = post_side[(post_side >= lo) & (post_side < hi)]
        ordered, first, last = _windows(kernel, source, target, pre_side, post_side)
        for pre, post in _candidates(ordered, first, last, post_side):
            if not connect.autapses and source.name == target.name:
                keep = pre != post
                pre, post = pre[keep], post[keep]
            if connect.probability is not None:
                p = _probability(connect, source, target, pre, post, over, scope)
                if kernel is not None:
                    p = p * kernel_factor(kernel, source, target, pre, post)
                drawn = uniforms(key, post, pre) < p
                pre, post = pre[drawn], post[drawn]
            yield _only_where(connect, source, target, pre, post, over, scope)


def _only_where(
    connect: ConnectSpec, source: PopulationIR, target: PopulationIR, pre: I64, post: I64, over: str, scope: Scope
) -> tuple[I64, I64]:
    """The pairs that meet the condition; asked of drawn pairs only, which are far fewer than the candidates."""
    if connect.condition is None:
        return pre, post
    pairs = pair_scope(source, target, pre, post, over)
    keep = np.broadcast_to(np.asarray(connect.condition.evaluate({**scope, **pairs}).value, dtype=bool), pre.shape)
    return pre[keep], post[keep]


def _by_skipping(
    connect: ConnectSpec, p: float, source: PopulationIR, target: PopulationIR, side: str, key: np.uint64,
    kernel_key: np.uint64, scope: Scope, lo: int, hi: int,
) -> Iterator[tuple[I64, I64]]:  # fmt: skip
    """One probability for all pairs in reach: jump from edge to edge (gaps are geometric), so the work grows with the
    edges only. Of those a kernel, which is a factor of at most 1, keeps its share."""
    kernel = connect.kernel
    over = kernel.over if kernel is not None else "y"
    for pre_side, post_side in sides_joined(source, target, side):
        post_all = post_side[(post_side >= lo) & (post_side < hi)]
        if not len(post_all):
            continue
        ordered, window, window_end = _windows(kernel, source, target, pre_side, post_all)
        sizes = window_end - window
        most = int(sizes.max())
        width = int(most * p + 6.0 * np.sqrt(most * p) + 8)
        step = max(_BLOCK // width, 1)
        for begin in range(0, len(post_all), step):
            post = post_all[begin : begin + step]
            starts, size = window[begin : begin + step], sizes[begin : begin + step]
            at = np.full(len(post), -1, dtype=np.int64)
            column, found_pre, found_post = 0, [], []
            rows = np.arange(len(post))
            while len(rows):
                u = uniforms(key, post[rows][:, None], np.arange(column, column + width))
                gaps = np.minimum(exact_log(u) / exact.log1p(-p), 2.0**40).astype(np.int64) + 1
                places = at[rows][:, None] + np.cumsum(gaps, axis=1)
                inside = places < size[rows][:, None]
                found_pre.append(ordered[(starts[rows][:, None] + places)[inside]])
                found_post.append(np.broadcast_to(post[rows][:, None], places.shape)[inside])
                at[rows] = places[:, -1]
                rows = rows[places[:, -1] < size[rows]]
                column += width
            pre, post = np.concatenate(found_pre), np.concatenate(found_post)
            if not connect.autapses and source.name == target.name:
                keep = pre != post
                pre, post = pre[keep], post[keep]
            if kernel is not None:
                keep = uniforms(kernel_key, post, pre) < kernel_factor(kernel, source, target, pre, post)
                pre, post = pre[keep], post[keep]
            yield _only_where(connect, source, target, pre, post, over, scope)


def _probability(
    connect: ConnectSpec, source: PopulationIR, target: PopulationIR, pre: I64, post: I64, over: str, scope: Scope
) -> F64:
    assert connect.probability is not None
    if not connect.probability.free(scope):
        value = connect.probability.evaluate(scope)
    else:
        value = connect.probability.evaluate({**scope, **pair_scope(source, target, pre, post, over)})
    if value.dim != NONE:
        raise UnitError(f"'{connect.probability.text}': a probability has no unit")
    p = np.broadcast_to(np.asarray(value.value, dtype=np.float64), pre.shape)
    if len(p) and (np.isnan(p).any() or p.min() < 0):
        raise UnitError(f"'{connect.probability.text}' gives a negative probability or none")
    return np.minimum(p, 1.0)


def _rare(connect: ConnectSpec, scope: Scope) -> float | None:
    """The probability, without the kernel, where it is one small number for all pairs (then skipping pays), or None."""
    if connect.probability is None or connect.probability.free(scope):
        return None
    p = connect.probability.evaluate(scope)
    return float(p.value) if p.dim == NONE and 0.0 < p.value < 0.2 else None


def _by_indegree(
    connect: ConnectSpec, source: PopulationIR, target: PopulationIR, side: str, key: np.uint64, lo: int, hi: int
) -> Iterator[tuple[I64, I64]]:
    """`indegree` distinct sources for every target: draw with repeats, redraw what came twice, in rounds."""
    want = connect.indegree
    assert want is not None
    loops = connect.autapses or source.name != target.name
    for pre_side, post_side in sides_joined(source, target, side):
        post = post_side[(post_side >= lo) & (post_side < hi)]
        available = len(pre_side) - (0 if loops else 1)
        if want > available:
            raise UnitError(f"indegree {want} is more than the {available} sources there are")
        chosen = np.full((len(post), want), -1, dtype=np.int64)
        open_rows = np.arange(len(post))
        draw = 0
        while len(open_rows):
            rows = chosen[open_rows]
            missing = rows < 0
            tries = np.broadcast_to(np.arange(want), rows.shape) + draw * want
            picks = pre_side[(uniforms(key, post[open_rows][:, None], tries) * len(pre_side)).astype(np.int64)]
            rows = np.where(missing, picks, rows)
            if not loops:
                rows = np.where(rows == post[open_rows][:, None], -1, rows)
            # keep the first of equal picks (earlier rounds first, then by column)
            age = np.where(missing, want, 0) + np.arange(want)
            order = np.lexsort((age, rows), axis=1)
            ordered = np.take_along_axis(rows, order, 1)
            twice = np.zeros_like(ordered, dtype=bool)
            twice[:, 1:] = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
            np.put_along_axis(rows, order, np.where(twice, -1, ordered), 1)
            chosen[open_rows] = rows
            open_rows = open_rows[(rows < 0).any(axis=1)]
            draw += 1
        yield chosen.ravel(), np.repeat(post, want)


def pairs(
    connect: ConnectSpec, source: PopulationIR, target: PopulationIR, side: str, *, seed: int, name: str, scope: Scope,
    lo: int, hi: int,
) -> tuple[I64, I64]:  # fmt: skip
    """All pairs (pre, post) with lo <= post < hi, sorted by (post, pre); not for `degrees`, `table` and `connectome`.

    Raises UnitError for impossible numbers (indegree too large, unequal sizes for one_to_one, a negative probability).
    """
    key = stream(seed, f"projection/{name}/connect")
    if connect.one_to_one:
        if source.n != target.n:
            raise UnitError(f"one_to_one needs equal sizes, got {source.n} and {target.n}")
        both = np.arange(lo, hi)
        blocks: list[tuple[I64, I64]] = [(both, both)]
    elif connect.indegree is not None:
        blocks = list(_by_indegree(connect, source, target, side, key, lo, hi))
    elif (p := _rare(connect, scope)) is not None:
        kernel_key = stream(seed, f"projection/{name}/kernel")
        blocks = list(_by_skipping(connect, p, source, target, side, key, kernel_key, scope, lo, hi))
    else:
        blocks = list(_by_probability(connect, source, target, side, key, scope, lo, hi))
    pre = np.concatenate([b[0] for b in blocks]) if blocks else np.empty(0, dtype=np.int64)
    post = np.concatenate([b[1] for b in blocks]) if blocks else np.empty(0, dtype=np.int64)
    order = np.argsort(post * np.int64(source.n) + pre, kind="stable")
    return pre[order], post[order]
