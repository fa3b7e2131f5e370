"""A reference beside what a sweep gives, and how a measured curve is laid over the values that were swept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.agreement import Comparison as Agreement
from cosim.analyse.agreement import compare_one
from cosim.analyse.reference import Reference
from cosim.spec.units import UnitError, parse
from cosim.sweep.intervals import Interval, mean_interval
from cosim.sweep.statistics import Cell
from cosim.sweep.table import Axis, Place, Table

Kind = Literal["value", "list", "curve", "effect", "survival"]


@dataclass(frozen=True)
class Validation:
    """A reference and what the sweep gives at one place (for a curve: along its axis, which is None in ``place``).

    ``simulated``, ``intervals`` (of the simulation) and ``animals`` (of the measured means) are as many as the
    reference's values, of which only those are kept that lie within what was swept. ``n`` is the number of runs behind
    the least certain of them. ``sign`` and ``size`` are verdicts in words, for effects and for survival.
    """

    kind: Kind
    reference: Reference
    place: Place
    n: int
    simulated: tuple[float, ...]
    intervals: tuple[Interval, ...]
    animals: tuple[Interval, ...]
    agreement: Agreement
    sign: str = ""
    size: str = ""

    @property
    def ratio(self) -> float:
        """Simulated over measured, of a single number; else NaN."""
        wanted = self.reference.values[0]
        return self.simulated[0] / wanted if len(self.simulated) == 1 and wanted else float("nan")


def animals_of(reference: Reference) -> tuple[Interval, ...]:
    """95 % t intervals of the measured means, where SD and n are given."""
    return tuple(map(mean_interval, reference.values, reference.sd, reference.n))


def curves(
    table: Table, cells: Sequence[Cell], reference: Reference, arm: str, axis: Axis
) -> tuple[list[Validation], list[str]]:
    """A measured curve beside the means along its axis, one for every combination of the other axes; and notes on what
    is left out."""
    k = table.axes.index(axis)
    if wrong := _wrong_unit(reference, axis):
        return [], [f"{reference.metric}: {axis.path} is swept in {axis.unit or '1'}, the reference has {wrong}"]
    groups: dict[Place, list[Cell]] = {}
    for cell in cells:
        if cell.arm == arm and cell.metric == reference.metric and cell.place[k] is not None:
            groups.setdefault((*cell.place[:k], None, *cell.place[k + 1 :]), []).append(cell)
    at = [float(value.value) for value in reference.positions()]
    rows: list[Validation] = []
    notes: list[str] = []
    for place, group in groups.items():
        x = np.array([axis.si[i] for cell in group if (i := cell.place[k]) is not None])
        order = np.argsort(x, kind="stable")
        points = [_between(x[order], [group[i] for i in order], value) for value in at]
        outside = sum(point is None for point in points)
        if outside:
            notes.append(f"{reference.metric}: {outside} of {len(at)} measured values lie outside of what was swept on "
                         f"{axis.path}")  # fmt: skip
        there = [i for i, point in enumerate(points) if point is not None and point[0]]
        if there:
            part = reference.at_points(there)
            kept = [point for i in there if (point := points[i]) is not None]
            means = tuple(mean for _, mean, _ in kept)
            rows.append(
                Validation("curve", part, place, min(n for n, _, _ in kept), means, tuple(end for _, _, end in kept),
                           animals_of(part), compare_one(means, part))
            )  # fmt: skip
    return rows, list(dict.fromkeys(notes))


def _wrong_unit(reference: Reference, axis: Axis) -> str:
    """The first place of a curve that is no value of the axis; empty where all are."""
    try:
        dim = parse(axis.unit or "1").evaluate().dim
    except UnitError:
        return ""
    places = zip(reference.at, reference.positions(), strict=True)
    return next((text for text, value in places if value.dim != dim and value.value != 0), "")


def _between(x: NDArray[np.float64], cells: Sequence[Cell], at: float) -> tuple[int, float, Interval] | None:
    """Number of runs, mean and interval at a place: those of the cell that was swept there, else linear between its
    neighbours; None outside of what was swept."""
    nearest = int(np.argmin(np.abs(x - at)))
    if abs(float(x[nearest]) - at) <= 1e-9 * max(float(np.ptp(x)), abs(at)):
        one = cells[nearest]
        return one.n, one.mean, one.interval
    if not x[0] < at < x[-1]:
        return None
    right = int(np.searchsorted(x, at))
    a, b = cells[right - 1], cells[right]
    share = float((at - x[right - 1]) / (x[right] - x[right - 1]))

    def mixed(left: float, other: float) -> float:
        return (1.0 - share) * left + share * other

    return (
        min(a.n, b.n),
        mixed(a.mean, b.mean),
        Interval(mixed(a.interval.low, b.interval.low), mixed(a.interval.high, b.interval.high)),
    )
