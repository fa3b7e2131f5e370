"""Curves over one axis, or over the values of a series of lesions: means with intervals, and how many runs kept the
metric."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cosim.analyse.panels import OKABE_ITO
from cosim.analyse.reference import INTACT
from cosim.sweep.drawing import WIDTH, Picture, axis_label, figure, metric_label, place_label, tick_texts
from cosim.sweep.statistics import Cell
from cosim.sweep.table import Axis, Table
from cosim.sweep.validated import Validation

#: plots side by side
COLUMNS = 3
_VALUE = re.compile(r"(.+) ([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?) ?([A-Za-z%][A-Za-z0-9*/^]*)?\Z")


@dataclass(frozen=True)
class Curve:
    """A line of every plot: (x, cell) by metric, and a level to compare it with (the intact arm)."""

    label: str
    points: Mapping[str, Sequence[tuple[float, Cell]]]
    level: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Series:
    """Arms that differ in one value, such as transections at several positions: their names by value."""

    name: str
    unit: str
    arms: Mapping[float, str]


def axis_curves(table: Table, k: int, cells: Sequence[Cell]) -> list[Curve]:
    """A curve an arm over axis number ``k``."""
    axis = table.axes[k]
    numbers = sorted({i for cell in cells if (i := cell.place[k]) is not None})
    at = {i: axis.shown()[0][i] if axis.numeric else float(n) for n, i in enumerate(numbers)}
    return [
        Curve(arm, _points([(at[i], cell) for cell in cells if cell.arm == arm and (i := cell.place[k]) is not None]))
        for arm in table.arms
        if any(cell.arm == arm for cell in cells)
    ]


def series_of(arms: Sequence[str]) -> list[Series]:
    """The series among the arms, of at least three values each: names that differ in a number at the end."""
    groups: dict[tuple[str, str], dict[float, str]] = {}
    for arm in arms:
        match = _VALUE.match(arm)
        if match:
            groups.setdefault((match[1], match[3] or ""), {})[float(match[2])] = arm
    return [Series(name, unit, group) for (name, unit), group in groups.items() if len(group) >= 3]


def series_curves(table: Table, series: Series, cells: Sequence[Cell]) -> list[Curve]:
    """A curve a place over the values of a series, with the intact arm there as its level."""
    places = list(dict.fromkeys(cell.place for cell in cells))
    value = {arm: x for x, arm in series.arms.items()}
    found = []
    for place in places:
        mine = [cell for cell in cells if cell.place == place]
        level = {cell.metric: cell.mean for cell in mine if cell.arm == INTACT}
        points = _points([(value[cell.arm], cell) for cell in mine if cell.arm in value])
        found.append(Curve(place_label(table, place) or series.name, points, level))
    return found


def _points(pairs: Sequence[tuple[float, Cell]]) -> dict[str, list[tuple[float, Cell]]]:
    found: dict[str, list[tuple[float, Cell]]] = {}
    for x, cell in sorted(pairs, key=lambda pair: pair[0]):
        found.setdefault(cell.metric, []).append((x, cell))
    return found


def lines(
    curves: Sequence[Curve], metrics: Sequence[str], over: str | Axis, path: Path, *,
    title: str = "", measured: Sequence[Validation] = (),
) -> Picture:  # fmt: skip
    """One plot a metric, drawn into the PNG ``path``; ``over`` is the axis or what stands below the plots, ``measured``
    the animal's values and curves that belong into them."""
    columns = min(COLUMNS, len(metrics))
    height = -(-len(metrics) // columns)
    lost = any(cell.n < cell.finished for curve in curves for points in curve.points.values() for _, cell in points)
    axis = over if isinstance(over, Axis) else None
    label = axis_label(over) if isinstance(over, Axis) else over
    with figure(WIDTH if columns > 1 else 0.6 * WIDTH, (3.4 if lost else 2.7) * height + 0.5, path) as drawn:
        outer = drawn.add_gridspec(height, columns)
        for m, metric in enumerate(metrics):
            inner = outer[m // columns, m % columns].subgridspec(1 + lost, 1, height_ratios=[3, 1][: 1 + lost])
            main = drawn.add_subplot(inner[0])
            strip = drawn.add_subplot(inner[1], sharex=main) if lost else None
            _animal(main, axis, [one for one in measured if one.reference.metric == metric])
            _draw(main, strip, curves, metric)
            main.set_title(metric_label(metric), loc="left")
            if strip is not None:
                main.tick_params(labelbottom=False)
                strip.set_ylim(-0.08, 1.08)
                strip.set_yticks([0, 0.5, 1])
                strip.set_ylabel("survival" if m % columns == 0 else "")
            last = strip or main
            if axis is not None and not axis.numeric:
                last.set_xticks(range(len(axis.values)), tick_texts(axis))
            last.set_xlabel(label)
        _legend(drawn, curves, bool(measured))
        if title:
            drawn.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=10)
    return Picture(path, f"Means of the survivors with 95 % intervals over {axis.path if axis else over}")


def _draw(main: Any, strip: Any, curves: Sequence[Curve], metric: str) -> None:
    xs = [x for curve in curves for x, _ in curve.points.get(metric, ())]
    span = max(xs) - min(xs) if xs else 0.0
    for row, curve in enumerate(curves):
        points = curve.points.get(metric, ())
        colour = OKABE_ITO[row % len(OKABE_ITO)]
        # a little to the side of each other, so that no interval hides another
        shift = 0.008 * span * (row - (len(curves) - 1) / 2)
        x = np.array([at + shift for at, _ in points])
        mean = np.array([cell.mean for _, cell in points])
        # without an interval (one run) the point stands alone
        ends = np.array([[cell.mean - cell.interval.low, cell.interval.high - cell.mean] for _, cell in points])
        errors = np.maximum(np.nan_to_num(ends.reshape(-1, 2).T), 0.0)
        main.errorbar(x, mean, errors, color=colour, marker="o", markersize=4, linewidth=1.4, capsize=2)
        if math.isfinite(level := curve.level.get(metric, math.nan)):
            main.axhline(level, color=colour, linewidth=1, linestyle=(0, (5, 3)), zorder=0)
        if strip is not None:
            strip.plot(x, [cell.rate for _, cell in points], color=colour, marker="o", markersize=3, linewidth=1)


def _animal(axes: Any, axis: Axis | None, measured: Sequence[Validation]) -> None:
    """The animal's curve over this axis, or its value as a level with one SD about it."""
    for one in measured:
        reference = one.reference
        if one.kind == "curve" and axis is not None and reference.axis == axis.path:
            x = [axis.factor * float(value.value) for value in reference.positions()]
            axes.errorbar(x, reference.values, np.nan_to_num(reference.sd), color="black", linestyle=":", marker="s",
                          markersize=3, linewidth=1, capsize=2, zorder=5)  # fmt: skip
        elif one.kind == "value":
            axes.axhline(reference.values[0], color="black", linestyle=":", linewidth=1.2, zorder=0)
            if math.isfinite(reference.sd[0]):
                low, high = reference.values[0] - reference.sd[0], reference.values[0] + reference.sd[0]
                axes.axhspan(low, high, color="0.92", zorder=-1)


def _legend(drawn: Any, curves: Sequence[Curve], animal: bool) -> None:
    first = drawn.axes[0]
    handles = [first.plot([], [], color=OKABE_ITO[i % len(OKABE_ITO)], marker="o", markersize=4, label=curve.label)[0]
               for i, curve in enumerate(curves)]  # fmt: skip
    if any(curve.level for curve in curves):
        handles.append(first.plot([], [], color="0.3", linewidth=1, linestyle=(0, (5, 3)), label="intact")[0])
    if animal:
        handles.append(first.plot([], [], color="black", linestyle=":", linewidth=1.2, label="animal (± SD)")[0])
    if len(handles) > 1:
        drawn.legend(handles=handles, loc="outside lower left", ncols=min(5, len(handles)), frameon=False)
