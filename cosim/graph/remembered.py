"""Edges that are kept for the next network: which pairs are joined does not change with weights, delays or lesions.

Only what rules draw is kept; tables and connectomes are read quickly. The key of a projection's edges is everything
that they are a function of: its rule with the values of the names in it, its name and the seed, the places of the
neurons on both sides.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import PopulationIR
from cosim.graph.values import names_in
from cosim.spec.circuit import ConnectSpec, ContinuousSpec, ProjectionSpec
from cosim.spec.units import Dim, Scope, Value

if TYPE_CHECKING:
    from cosim.graph.source import EdgeSource

I64 = NDArray[np.int64]
_Kept = tuple[NDArray[np.int32], NDArray[np.int32], dict[str, Value]]


class Memory:
    """Edges by key, at most so many bytes of them; those not asked for longest go first."""

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()

    def get(self, key: bytes) -> _Kept | None:
        """The edges of a key."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: bytes, edges: _Kept) -> None:
        """Keep edges, if there is room at all."""
        size = _bytes(edges)
        if size > self._limit:
            return
        self._kept[key] = edges
        self._size += size
        while self._size > self._limit:
            _, oldest = self._kept.popitem(last=False)
            self._size -= _bytes(oldest)


def _bytes(edges: _Kept) -> int:
    columns: int = sum(np.asarray(value.value).nbytes for value in edges[2].values())
    return edges[0].nbytes + edges[1].nbytes + columns


_CURRENT: ContextVar[Memory | None] = ContextVar("edges", default=None)


@contextlib.contextmanager
def remembering(memory: Memory) -> Iterator[None]:
    """Networks that are laid out within keep their edges in `memory`, and take them from there."""
    token = _CURRENT.set(memory)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@dataclass(frozen=True)
class Remembered:
    """A source whose edges are looked up first."""

    inner: EdgeSource
    memory: Memory
    key: bytes

    @property
    def columns(self) -> Mapping[str, Dim]:
        return self.inner.columns

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """The edges of a range of targets."""
        key = self.key + np.array([lo, hi]).tobytes()
        kept = self.memory.get(key)
        if kept is None:
            pre, post, columns = self.inner.rows(lo, hi)
            self.memory.put(key, (pre.astype(np.int32), post.astype(np.int32), columns))
            return pre, post, columns
        return kept[0].astype(np.int64), kept[1].astype(np.int64), kept[2]


def remembered(
    found: EdgeSource, name: str, spec: ProjectionSpec | ContinuousSpec, source: PopulationIR, target: PopulationIR,
    seed: int, scope: Scope,
) -> EdgeSource:  # fmt: skip
    """The source itself, or one that remembers where that is wanted and there is something to gain."""
    memory, connect = _CURRENT.get(), spec.connect
    if memory is None or connect.table is not None or connect.connectome is not None:
        return found
    used = _names(connect)
    values = [(key, repr(value.value), value.dim) for key, value in sorted(scope.items()) if key in used]
    said = repr((type(spec).__name__, name, connect, spec.side, seed, values))
    return Remembered(found, memory, hashlib.sha256(said.encode() + _places(source) + _places(target)).digest())


def _names(connect: ConnectSpec) -> set[str]:
    """The names in the expressions of a rule."""
    parts: list[Any] = [connect.probability, connect.condition]
    if connect.degrees is not None:
        parts += [connect.degrees.incoming, connect.degrees.outgoing, connect.degrees.count]
    return {name for part in parts if part is not None for name in names_in(part)}


def _places(population: PopulationIR) -> bytes:
    """A hash of all that rules know of neurons."""
    found = hashlib.sha256(repr((population.name, population.n, population.sides, population.pools)).encode())
    arrays = {key: getattr(population, key) for key in ("side", "segment", "pool", "y", "start", "end")}
    arrays |= population.coordinates
    arrays |= {f"column {key}": np.asarray(value.value) for key, value in population.columns.items()}
    for key, array in arrays.items():
        found.update(key.encode() + b"\0" + str(array.dtype).encode() + np.ascontiguousarray(array).tobytes())
    return found.digest()
