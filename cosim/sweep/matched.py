"""The picture that puts a sweep and the animal side by side: matched lesions, profiles and curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cosim.analyse.panels import OKABE_ITO
from cosim.analyse.reference import INTACT
from cosim.sweep.drawing import WIDTH, Picture, axis_label, figure, metric_label, place_label
from cosim.sweep.table import Table
from cosim.sweep.validated import Validation

#: places drawn in one panel, panels side by side
PLACES, COLUMNS = 6, 3


def side_by_side(table: Table, rows: Sequence[Validation], path: Path) -> Picture | None:
    """Effects of lesions in simulation over those in the animal, and every list or curve over the animal's; None where
    the reference has neither."""
    effects = [row for row in rows if row.kind == "effect" and math.isfinite(row.simulated[0])]
    profiles: dict[tuple[str, str, str], list[Validation]] = {}
    for row in rows:
        if row.kind in ("list", "curve"):
            profiles.setdefault((row.reference.metric, row.reference.arm, row.reference.axis), []).append(row)
    panels = bool(effects) + len(profiles)
    if not panels:
        return None
    columns = min(COLUMNS, panels)
    height = -(-panels // columns)
    with figure(WIDTH if columns > 1 else 0.55 * WIDTH, 3.6 * height, path) as drawn:
        if effects:
            _effects(drawn.add_subplot(height, columns, 1), effects)
        for k, group in enumerate(profiles.values(), 1 + bool(effects)):
            _profile(drawn.add_subplot(height, columns, k), table, group)
    return Picture(path, "Simulation beside the animal (black; ± SD): effects of matched lesions, profiles, curves")


def _effects(axes: Any, rows: Sequence[Validation]) -> None:
    ends = [0.0]
    kinds = list(dict.fromkeys(f"{row.reference.arm}: {row.reference.metric}" for row in rows))
    for k, kind in enumerate(kinds):
        axes.plot([], [], "o", color=OKABE_ITO[k % len(OKABE_ITO)], label=kind)
    for row in rows:
        k = kinds.index(f"{row.reference.arm}: {row.reference.metric}")
        x, y, sd, interval = (
            100 * row.reference.values[0],
            100 * row.simulated[0],
            row.reference.sd[0],
            row.intervals[0],
        )
        low, high = (interval.low, interval.high) if math.isfinite(interval.low) else (row.simulated[0],) * 2
        errors = np.maximum([[y - 100 * low], [100 * high - y]], 0.0)
        axes.errorbar(x, y, yerr=errors, xerr=100 * sd if sd >= 0 else None, marker="o", markersize=4, capsize=2,
                      color=OKABE_ITO[k % len(OKABE_ITO)], linewidth=1)  # fmt: skip
        ends += [x, y]
    low, high = min(ends) - 10, max(ends) + 10
    axes.plot([low, high], [low, high], color="0.6", linestyle=":", linewidth=1, zorder=0)
    axes.axhline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.8, zorder=0)
    axes.set_xlabel("animal: change (% of intact)")
    axes.set_ylabel("simulation: change (% of intact)")
    axes.set_title("Effects of lesions; dotted: equal", loc="left")
    axes.legend(frameon=False, fontsize=7.5)


def _profile(axes: Any, table: Table, rows: Sequence[Validation]) -> None:
    reference = rows[0].reference
    axis = next((axis for axis in table.axes if axis.path == reference.axis), None)
    for k, row in enumerate(rows[:PLACES]):
        x = _positions(table, row)
        ends = [[mean - one.low, one.high - mean] for mean, one in zip(row.simulated, row.intervals, strict=True)]
        errors = np.maximum(np.nan_to_num(np.array(ends).T), 0.0)
        axes.errorbar(x, row.simulated, errors, color=OKABE_ITO[k], marker="o", markersize=3.5, linewidth=1.3,
                      capsize=2, label=place_label(table, row.place) or "simulation")  # fmt: skip
    axes.errorbar(_positions(table, rows[0]), reference.values, np.nan_to_num(reference.sd), color="black",
                  linestyle=":", marker="s", markersize=3.5, linewidth=1, capsize=2, zorder=5,
                  label="animal")  # fmt: skip
    arm = f", {reference.arm}" if reference.arm not in ("", INTACT) else ""
    more = f" (first {PLACES} of {len(rows)} places)" if len(rows) > PLACES else ""
    axes.set_title(f"{metric_label(reference.metric)}{arm}{more}", loc="left")
    axes.set_xlabel(axis_label(axis) if axis is not None else "element")
    axes.legend(frameon=False, fontsize=7.5)


def _positions(table: Table, row: Validation) -> list[float]:
    if row.kind == "list":
        return [float(i) for i in range(1, len(row.simulated) + 1)]
    factor = next(axis.factor for axis in table.axes if axis.path == row.reference.axis)
    return [factor * float(value.value) for value in row.reference.positions()]
