"""What one synaptic event costs, beside a plain scatter-add of the same rows."""

from __future__ import annotations

import ctypes
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bench.circuits import Measured
from cosim.bench.sides import Compiled, spread
from cosim.graph.ir import Edges
from cosim.neural.arrays import Arrays, SynapsesArrays
from cosim.neural.program import program
from cosim.neural.toolchain import find_compiler

_SOURCE = """
#include <cstdint>
extern "C" void scatter(int64_t n, const int32_t *begin, const int32_t *end, const int32_t *post, const double *w,
                        double *g)
{
    for (int64_t row = 0; row < n; row++)
        for (int32_t k = begin[row]; k < end[row]; k++)
            g[post[k]] += w[k];
}
"""
_FAINT = 1e-12  # factor on weights: the same work, and cells that fire as if they were alone


def cost(measured: Measured, ticks: int, repeats: int) -> dict[str, Any]:
    """Nanoseconds per event: queue and delivery, the whole tick, and the scatter-add.

    The scatter-add is of the same rows, and once more of all edges in the order in which they lie in memory.

    Queue and delivery are the difference between the network and the same cells without edges, where weights are so
    faint that both fire alike. Blocks of `ticks` alternate; medians of `repeats`.
    """
    edges = measured.edges
    faint = Edges(edges.pre, edges.post, edges.delay, {"w": edges.parameters["w"] * _FAINT})
    nothing = np.empty(0, dtype=np.int32)
    wired = measured.with_edges(faint)
    full = Compiled(wired)
    bare = Compiled(measured.with_edges(Edges(nothing, nothing, nothing, {"w": np.empty(0)})))
    texts = program(wired.network, switches=False)
    rows = Arrays(wired.network, texts).synapses(texts.synapses[0])
    degree = np.bincount(rows.pre, minlength=measured.network.n)
    steps, ids = _record(full, 50)  # past the beginning, and the rows that the scatter-add goes through
    bare.alone(50)
    begin, end = _runs(rows, steps, ids, measured.network.n)
    scatter = _Scatter(rows, measured.network.n)
    scatter.seconds(begin, end)
    whole_begin, whole_end = np.array([0], dtype=np.int32), np.array([len(rows)], dtype=np.int32)
    differences, wholes, plains, streams = [], [], [], []
    for _ in range(repeats):
        with_edges, without = full.lockstep(ticks), bare.lockstep(ticks)
        events = with_edges.spikes * float(degree.mean())
        differences.append((with_edges.seconds - without.seconds) / events)
        wholes.append(with_edges.seconds / events)
        plains.append(scatter.seconds(begin, end) / float((end - begin).sum()))
        streams.append(scatter.seconds(whole_begin, whole_end) / len(rows))
    rate = with_edges.spikes / measured.network.n / (ticks * 1e-3)
    other = without.spikes / measured.network.n / (ticks * 1e-3)
    full.backend.close()
    bare.backend.close()
    return {
        "queue_and_delivery_ns": spread(differences, 1e9),
        "whole_tick_ns": spread(wholes, 1e9),
        "scatter_add_ns": spread(plains, 1e9),
        "scatter_add_in_order_ns": spread(streams, 1e9),
        "events_per_tick": events / ticks,
        "edges_per_row": float((end - begin).mean()),
        "rate_hz": rate,
        "rate_without_edges_hz": other,
    }


def _record(side: Compiled, ticks: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    found = []
    for _ in range(ticks):
        side.backend.advance()
        steps, ids = side.backend.spikes()
        found.append((steps.copy(), ids.copy()))
    return np.concatenate([steps for steps, _ in found]), np.concatenate([ids for _, ids in found])


def _runs(
    rows: SynapsesArrays, steps: NDArray[np.int64], ids: NDArray[np.int32], n: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Begin and end of the rows (edges of one source with one delay) of these spikes, in order of delivery."""
    new = np.ones(len(rows), dtype=bool)
    new[1:] = (rows.pre[1:] != rows.pre[:-1]) | (rows.delay[1:] != rows.delay[:-1])
    start = np.flatnonzero(new)
    first = np.searchsorted(rows.pre[start], np.arange(n + 1))
    counts = first[ids + 1] - first[ids]
    offset = np.repeat(first[ids] - (np.cumsum(counts) - counts), counts)
    chosen = np.arange(int(counts.sum())) + offset
    due = np.repeat(steps, counts) + rows.delay[start[chosen]]
    chosen = chosen[np.argsort(due, kind="stable")]
    ends = np.append(start, len(rows))
    return start[chosen].astype(np.int32), ends[chosen + 1].astype(np.int32)


class _Scatter:
    """The scatter-add, compiled with the options of networks."""

    def __init__(self, rows: SynapsesArrays, n: int) -> None:
        weights = rows.values["w"]
        assert isinstance(weights, np.ndarray)
        self.sums = np.zeros(n)
        self._columns = (rows.post, weights, self.sums)
        compiler = find_compiler()
        assert compiler is not None
        with tempfile.TemporaryDirectory() as scratch:
            source, library = Path(scratch) / "scatter.cpp", Path(scratch) / "scatter.so"
            source.write_text(_SOURCE, encoding="utf-8")
            compiler.compile(source, library, compiler.flags(compiler.version))
            self._scatter = ctypes.CDLL(str(library)).scatter
        self._scatter.argtypes = [ctypes.c_int64, *[ctypes.c_void_p] * 5]
        self._scatter.restype = None

    def seconds(self, begin: NDArray[np.int32], end: NDArray[np.int32]) -> float:
        """Wall seconds of going through these rows once."""
        pointers = [array.ctypes.data for array in (begin, end, *self._columns)]
        started = time.perf_counter()
        self._scatter(len(begin), *pointers)
        return time.perf_counter() - started
