"""Where the edges of a projection come from: a rule, degrees, a table, or a connectome; always by range of targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Numbers, matches, value_scope
from cosim.graph.cells import Cells
from cosim.graph.connect import pairs
from cosim.graph.degrees import Degrees
from cosim.graph.ir import PopulationIR
from cosim.graph.random import stream
from cosim.graph.remembered import remembered
from cosim.graph.shuffled import Shuffled
from cosim.graph.table import Table, read_table
from cosim.spec.circuit import ConnectSpec, ContinuousSpec, ProjectionSpec
from cosim.spec.common import Located
from cosim.spec.units import Dim, Scope, UnitError, Value

I64 = NDArray[np.int64]


class EdgeSource(Protocol):
    """Edges by range of targets.

    Attributes
    ----------
    columns: dimensions of the numbers that come with every edge.
    """

    @property
    def columns(self) -> Mapping[str, Dim]: ...

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """Pre, post (ids within their populations) and columns of the edges with lo <= post < hi, by (post, pre).

        Raises UnitError for numbers that have no meaning.
        """
        ...


@dataclass(frozen=True)
class Rule:
    """Pairs drawn by a rule."""

    connect: ConnectSpec
    source: PopulationIR
    target: PopulationIR
    side: str
    seed: int
    name: str
    scope: Scope
    columns: Mapping[str, Dim] = field(default_factory=dict)

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """The pairs of a range of targets."""
        pre, post = pairs(
            self.connect, self.source, self.target, self.side, seed=self.seed, name=self.name, scope=self.scope,
            lo=lo, hi=hi,
        )  # fmt: skip
        return pre, post, {}


@dataclass(frozen=True)
class FromTable:
    """Edges of a CSV file that belongs to the circuit."""

    table: Table

    @property
    def columns(self) -> Mapping[str, Dim]:
        return {name: value.dim for name, value in self.table.columns.items()}

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """The rows of a range of targets."""
        return self.table.rows(lo, hi)


@dataclass(frozen=True)
class FromConnectome:
    """Connections of a data set between the cells of two populations."""

    connect: ConnectSpec
    source: PopulationIR
    target: PopulationIR

    def __post_init__(self) -> None:
        # a column or word that there is not is told before edges are asked for
        connectome = self._cells(self.source).connectome
        none = {name: column.at(slice(0, 0)) for name, column in connectome.edges.items()}
        matches(self.connect.conditions, none, 0, f"the connections of {connectome.name}")

    @staticmethod
    def _cells(population: PopulationIR) -> Cells:
        assert population.cells is not None
        return population.cells

    @property
    def columns(self) -> Mapping[str, Dim]:
        edges = self._cells(self.source).connectome.edges
        return {name: column.dim for name, column in edges.items() if isinstance(column, Numbers)}

    def rows(self, lo: int, hi: int) -> tuple[I64, I64, dict[str, Value]]:
        """The connections onto a range of targets; nothing of the others is read."""
        source, target = self._cells(self.source), self._cells(self.target)
        connectome = source.connectome
        found = connectome.rows(target.rows[lo:hi])
        keep = connectome.edge_mask(found, self.connect.conditions) & (source.place[found.pre] >= 0)
        if not keep.all():
            found = found.where(keep)
        pre, post = source.place[found.pre].astype(np.int64), target.place[found.post].astype(np.int64)
        return pre, post, value_scope(found.columns)


def edge_source(
    name: str, spec: ProjectionSpec | ContinuousSpec, source: PopulationIR, target: PopulationIR, seed: int,
    scope: Scope, folder: Path,
) -> EdgeSource:  # fmt: skip
    """The edges of a projection. Raises Located (paths within `connect`), UserError for an unusable table."""
    found = _as_they_are(name, spec.connect, spec.side, source, target, seed, scope, folder)
    if spec.connect.shuffle is not None:
        drawn_with = spec.connect.seed if spec.connect.seed is not None else seed
        key = stream(drawn_with, f"projection/{name}/shuffle")
        found = Shuffled(found, source, target, key, spec.side != "any", isinstance(spec, ContinuousSpec))
    return remembered(found, name, spec, source, target, seed, scope)


def _as_they_are(
    name: str, connect: ConnectSpec, side: str, source: PopulationIR, target: PopulationIR, seed: int, scope: Scope,
    folder: Path,
) -> EdgeSource:  # fmt: skip
    if connect.table is not None:
        return FromTable(read_table(folder / connect.table, source.n, target.n))
    if connect.connectome is not None:
        try:
            return FromConnectome(connect, source, target)
        except UnitError as error:
            raise Located([(("where",), str(error))]) from None
    if connect.degrees is not None:
        return Degrees(connect.degrees, connect.autapses, source, target, side, seed, name, scope)
    return Rule(connect, source, target, side, seed, name, scope)
