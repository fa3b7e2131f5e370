"""A connectome that has been read: its cells, and its connections by target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Bool, Column, Numbers, matches
from cosim.spec.choice import CellsSpec, HopsSpec
from cosim.spec.connectome import ConnectomeSpec
from cosim.spec.units import UnitError

if TYPE_CHECKING:
    import networkx

I64 = NDArray[np.int64]
_BLOCK = 1 << 20  # edges looked at together


@dataclass(frozen=True)
class EdgeRows:
    """Some edges, sorted by (post, pre): rows of the table of cells, and their columns, shape (n,)."""

    pre: I64
    post: I64
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(self.pre)

    def where(self, mask: Bool) -> EdgeRows:
        """Those that the mask keeps."""
        return EdgeRows(self.pre[mask], self.post[mask], {k: c.at(mask) for k, c in self.columns.items()})


@dataclass(frozen=True, eq=False)
class Connectome:
    """Cells and connections, as ``cosim.connectome.load_connectome`` finds them.

    Attributes
    ----------
    spec: the descriptor.
    key: what the tables were, as a hash: descriptor, files, sizes.
    hashes: SHA-256 of every file.
    ids: id of every cell, shape (n,), int64 or text, in the order of the table.
    nodes: columns of the cells by name.
    indptr: the edges onto cell j are [indptr[j], indptr[j + 1]); shape (n + 1,), int64.
    pre: presynaptic cell of every edge, sorted within a target; shape (edges,), int32, possibly on disk.
    edges: columns of the edges by name; ``count`` is always there.
    """

    spec: ConnectomeSpec
    key: str
    hashes: Mapping[str, str]
    ids: NDArray[Any]
    nodes: Mapping[str, Column]
    indptr: I64
    pre: NDArray[np.int32]
    edges: Mapping[str, Column]

    @property
    def name(self) -> str:
        """The name of the data set."""
        return self.spec.name

    @property
    def n(self) -> int:
        """Number of cells."""
        return len(self.ids)

    def __len__(self) -> int:
        return len(self.pre)

    def __repr__(self) -> str:
        return f"Connectome({self.name}: {self.n} cells, {len(self)} connections)"

    @cached_property
    def rows_by_id(self) -> dict[str, int]:
        """Row of every id, the ids as text."""
        return {str(one): row for row, one in enumerate(self.ids.tolist())}

    def find(self, cells: Sequence[str | int]) -> I64:
        """Rows of cells by their ids. Raises UnitError that says which release has an id that this one lacks."""
        from cosim.connectome.releases import missing

        absent = [one for one in cells if str(one) not in self.rows_by_id]
        if absent:
            raise UnitError(missing(self, absent[0]))
        return np.array([self.rows_by_id[str(one)] for one in cells], dtype=np.int64)

    def rows(self, targets: I64) -> EdgeRows:
        """The edges onto some cells (ascending rows); only their part of the arrays is touched."""
        starts, ends = self.indptr[targets], self.indptr[targets + 1]
        counts = ends - starts
        place: slice | I64
        if len(targets) and targets[-1] - targets[0] == len(targets) - 1:
            place = slice(int(starts[0]), int(ends[-1]))
        else:
            place = np.arange(int(counts.sum())) + np.repeat(starts - (np.cumsum(counts) - counts), counts)
        pre = np.asarray(self.pre[place], dtype=np.int64)
        return EdgeRows(pre, np.repeat(targets, counts), {k: c.at(place) for k, c in self.edges.items()})

    def edge_mask(self, rows: EdgeRows, where: Mapping[str, Any]) -> Bool:
        """Which edges meet conditions on their columns. Raises UnitError."""
        return matches(where, rows.columns, len(rows), f"the connections of {self.name}")

    def matching(self, where: Mapping[str, Any], rows: I64 | slice = slice(None)) -> Bool:
        """Which of some cells meet conditions on their columns. Raises UnitError."""
        known = self.spec.node_columns(optional=True)
        for name in where:
            if name not in self.nodes and name in known:
                fetched = f"'cosim fetch {self.name} --all' gets it"
                raise UnitError(f"the column '{name}' is in {known[name]}, which is not on this machine: {fetched}")
        columns = {name: column.at(rows) for name, column in self.nodes.items()}
        return matches(where, columns, len(self.ids[rows]), f"the cells of {self.name}")

    def select(self, cells: CellsSpec) -> Bool:
        """Which cells are meant, shape (n,). Raises UnitError."""
        mask = self.matching(cells.select)
        if cells.cells is not None:
            listed = np.zeros(self.n, dtype=bool)
            listed[self.find(cells.cells)] = True
            mask &= listed
        return mask

    def reach(self, hops: HopsSpec) -> Bool:
        """Cells at most ``hops.n`` connections from a set, which belongs to them; shape (n,). Raises UnitError."""
        found = self.select(hops.start)
        front = found
        for _ in range(hops.n):
            new = np.zeros(self.n, dtype=bool)
            if hops.direction in ("in", "both"):
                new[self._onto(np.flatnonzero(front), hops.where)] = True
            if hops.direction in ("out", "both"):
                new |= self._from(front, hops.where)
            front = new & ~found
            if not front.any():
                break
            found = found | new
        return found

    def _onto(self, targets: I64, where: Mapping[str, Any]) -> I64:
        rows = self.rows(targets)
        return rows.pre[self.edge_mask(rows, where)]

    def _from(self, sources: Bool, where: Mapping[str, Any]) -> Bool:
        """The targets of some cells: the edges lie by target, so all are looked at, block by block."""
        new = np.zeros(self.n, dtype=bool)
        for first, last in self.blocks():
            rows = self.rows(np.arange(first, last))
            mine = rows.where(sources[rows.pre])
            new[mine.post[self.edge_mask(mine, where)]] = True
        return new

    def blocks(self) -> list[tuple[int, int]]:
        """Ranges of targets with about a million edges each (at least one target)."""
        ranges, first = [], 0
        while first < self.n:
            last = int(np.searchsorted(self.indptr, self.indptr[first] + _BLOCK, "right")) - 1
            last = min(max(last, first + 1), self.n)
            ranges.append((first, last))
            first = last
        return ranges

    def degrees(self) -> tuple[I64, I64]:
        """Number of edges onto and from every cell, shape (n,) each."""
        out = np.zeros(self.n, dtype=np.int64)
        for first in range(0, len(self), _BLOCK):
            out += np.bincount(self.pre[first : first + _BLOCK], minlength=self.n)
        return np.diff(self.indptr), out

    def synapses(self) -> int:
        """The number of synapses: the sum of the counts."""
        count = self.edges["count"]
        assert isinstance(count, Numbers)
        return int(sum(count.values[i : i + _BLOCK].sum(dtype=np.float64) for i in range(0, len(self), _BLOCK)))

    def to_networkx(self) -> networkx.MultiDiGraph:
        """A graph of the cells (keys: their ids) and connections, with all columns as attributes."""
        from cosim.graph.view import connectome_graph

        return connectome_graph(self)
