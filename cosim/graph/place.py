"""Where the neurons of a population are: position along the axis, side, segment, pool."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Texts, value_scope
from cosim.connectome.store import load_connectome
from cosim.errors import UserError
from cosim.graph.cells import Cells, choose
from cosim.graph.random import F64
from cosim.spec.circuit import AxisSpec, MemberSpec, PopulationSpec
from cosim.spec.common import Located
from cosim.spec.units import Dim, Scope, UnitError, Value, array

LENGTH: Dim = (1, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Places:
    """Arrays of shape (n,), positions in metres; `side` and `pool` are indices into the names that the population
    has."""

    side: NDArray[np.int8]
    segment: NDArray[np.int32]
    pool: NDArray[np.int16]
    y: F64
    start: F64
    end: F64
    coordinates: dict[str, F64] = field(default_factory=dict)
    columns: dict[str, Value] = field(default_factory=dict)
    cells: Cells | None = None

    @property
    def n(self) -> int:
        """Number of neurons."""
        return len(self.y)


def places(spec: PopulationSpec, axis: AxisSpec | None, parameters: Scope, folder: Path) -> Places:
    """Lay out a population. Raises Located (paths within the population) and UserError for data that are not there."""
    found = _of_cells(spec.connectome, spec, axis, parameters, folder) if spec.connectome else _laid_out(spec, axis)
    coordinates: dict[str, F64] = {}
    if axis is not None:
        for name, expression in axis.coordinates.items():
            value = expression.evaluate({**parameters, "y": Value(found.y, LENGTH)})
            coordinates[name] = np.array(np.broadcast_to(value.value, (found.n,)), dtype=np.float64)
    return replace(found, coordinates=coordinates)


def _intervals(spec: PopulationSpec, axis: AxisSpec | None) -> tuple[list[tuple[float, float]], int]:
    """The intervals [p0, p1) of one side and the number of neurons in each."""
    if spec.n is not None:
        span = spec.span or ((0.0, axis.length) if axis is not None else (0.0, 0.0))
        return [span], spec.n
    if spec.per_pool is not None:
        assert spec.pools is not None
        return list(spec.pools.values()), spec.per_pool
    assert axis is not None and spec.per_segment is not None
    width = axis.length / axis.segments
    segments = spec.segments if spec.segments is not None else range(axis.segments)
    return [(s * width, (s + 1) * width) for s in segments], spec.per_segment


def _laid_out(spec: PopulationSpec, axis: AxisSpec | None) -> Places:
    intervals, count = _intervals(spec, axis)
    copies = max(len(spec.sides or ()), 1)
    per_side = len(intervals) * count
    start = np.tile(np.repeat([p[0] for p in intervals], count), copies)
    end = np.tile(np.repeat([p[1] for p in intervals], count), copies)
    k = np.tile(np.arange(count), len(intervals) * copies)
    y = start + (end - start) * k / count
    index = np.tile(np.repeat(np.arange(len(intervals)), count), copies)
    if spec.per_segment is not None:
        segment = np.asarray(spec.segments)[index] if spec.segments is not None else index
    else:
        segment = _segments(y, axis)
    pool = index if spec.pools else np.zeros(len(y), dtype=np.int64)
    side = np.repeat(np.arange(copies), per_side)
    return Places(side.astype(np.int8), segment.astype(np.int32), pool.astype(np.int16), y, start, end)


def _segments(y: F64, axis: AxisSpec | None) -> NDArray[np.int64]:
    if axis is None or axis.segments == 1:
        return np.zeros(len(y), dtype=np.int64)
    found: NDArray[np.int64] = np.minimum((y / (axis.length / axis.segments)).astype(np.int64), axis.segments - 1)
    return found


def _of_cells(
    wanted: MemberSpec, spec: PopulationSpec, axis: AxisSpec | None, parameters: Scope, folder: Path
) -> Places:
    try:
        # the circuit's own zoo is searched too; only the folder of the file that is named here counts
        connectome = load_connectome(wanted.name, folder / "circuit.yaml")
        cells = choose(connectome, wanted)
    except UnitError as error:
        raise Located([(("connectome",), str(error))]) from None
    except UserError as error:
        if any(problem.file for problem in error.problems):
            raise  # a table or its descriptor is at fault
        raise Located([(("connectome",), problem.message) for problem in error.problems]) from None
    n = len(cells.rows)
    columns = value_scope({name: column.at(cells.rows) for name, column in connectome.nodes.items()})
    y = np.zeros(n)
    try:
        if wanted.y is not None:
            y = array(wanted.y, {**parameters, **columns}, n, LENGTH)
        elif "y" in columns and columns["y"].dim == LENGTH:
            y = columns["y"].value
    except UnitError as error:
        raise Located([(("connectome", "y"), str(error))]) from None
    segment = np.maximum(_segments(np.nan_to_num(y), axis), 0).astype(np.int32)
    side = _sides(spec.sides or [], cells)
    start = np.full(n, 0.0)
    end = np.full(n, axis.length if axis is not None else 0.0)
    return Places(side, segment, np.zeros(n, dtype=np.int16), y, start, end, columns=columns, cells=cells)


def _sides(sides: list[str], cells: Cells) -> NDArray[np.int8]:
    """The side of every neuron, an index into `sides`, from the column `side` of the cells."""
    if not sides:
        return np.zeros(len(cells.rows), dtype=np.int8)
    name = cells.connectome.name
    column = cells.connectome.nodes.get("side")
    if not isinstance(column, Texts):
        raise Located([(("sides",), f"the cells of {name} have no column 'side'")])
    place = np.array([sides.index(word) if word in sides else -1 for word in column.words], dtype=np.int8)
    side = place[column.codes[cells.rows]]
    outside = np.flatnonzero(side < 0)
    if len(outside):
        word = column.words[int(column.codes[cells.rows[outside[0]]])]
        text = f"the side of {cells.ids[int(outside[0])]} is '{word}', expected one of {', '.join(sides)}"
        raise Located([(("sides",), text)])
    return np.asarray(side)
