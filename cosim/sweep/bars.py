"""Ranked bars: how much each lesion changes a metric, as an effect size and as a relative change, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cosim.analyse.panels import OKABE_ITO
from cosim.sweep.drawing import WIDTH, Picture, figure, metric_label, place_label
from cosim.sweep.statistics import Comparison
from cosim.sweep.table import Place, Table

#: more lesions than these are left out of a picture, the smallest effects first; places side by side
SHOWN, PLACES = 40, 3
#: effect sizes are drawn on a scale that is linear up to here and logarithmic beyond
LINEAR = 2.0


def bars(table: Table, metric: str, places: Sequence[Place], comparisons: Sequence[Comparison], path: Path) -> Picture:
    """Draw the comparisons with intact of one metric into the PNG ``path``: for every place its effect sizes and
    relative changes, ranked by the size at the first place."""
    by_place = {place: {one.contrast.arm: one for one in comparisons if one.place == place} for place in places}
    arms = list(dict.fromkeys(one.contrast.arm for one in comparisons))
    ranked = sorted(arms, key=lambda arm: _size(by_place[places[0]].get(arm)), reverse=True)
    shown = ranked[:SHOWN]
    with figure(WIDTH, 1.3 + 0.27 * len(shown), path) as drawn:
        first: Any = None
        for column, place in enumerate(places):
            rows = [by_place[place].get(arm) for arm in shown]
            left = drawn.add_subplot(1, 2 * len(places), 2 * column + 1, sharey=first)
            first = first or left
            right = drawn.add_subplot(1, 2 * len(places), 2 * column + 2, sharey=first)
            _effects(left, rows)
            _changes(right, rows)
            left.set_yticks(range(len(shown)), shown)
            left.set_ylim(len(shown) - 0.4, -0.6)
            left.tick_params(axis="y", length=0, labelleft=column == 0)
            right.tick_params(axis="y", length=0, labelleft=False)
            left.set_title(place_label(table, place), loc="left")
            left.set_xlabel("paired effect size g$_z$")
            right.set_xlabel("change (% of intact)")
        drawn.suptitle(metric_label(metric), x=0.01, ha="left", fontweight="bold", fontsize=10)
    left_out = f" (the {SHOWN} largest of {len(arms)})" if len(arms) > SHOWN else ""
    return Picture(
        path,
        f"{metric_label(metric)}: lesions ranked by their effect against intact, with 95 % intervals; "
        f"solid where p (Holm) < 0.05{left_out}",
    )


def _size(one: Comparison | None) -> tuple[float, float]:
    """What lesions are ranked by: the effect size, or the change where there is none; those without rhythm first, those
    not run last."""
    if one is None or not one.both:
        return (-math.inf, 0.0)
    if not one.pairs:
        return (math.inf, math.inf)
    change = abs(one.difference)
    return (abs(one.effect.size), change) if math.isfinite(one.effect.size) else (-1.0, change)


def _effects(axes: Any, rows: Sequence[Comparison | None]) -> None:
    ends: list[float] = [LINEAR]
    for y, one in enumerate(rows):
        if one is None:
            continue
        if not one.pairs:
            text = f"lost: {one.survive} of {one.both} survive" if one.both else "not run yet"
            axes.text(0.0, y, f" {text}", va="center", fontsize=7.5, color="0.35")
        elif math.isfinite(one.effect.size):
            low, high = one.effect.interval.low, one.effect.interval.high
            _bar(axes, y, one.effect.size, low, high, one.holm < 0.05)
            ends += [abs(low), abs(high)]
        else:
            axes.text(0.0, y, f" {_why(one)}", va="center", fontsize=7.5, color="0.35")
    axes.axvline(0, color="0.3", linewidth=0.8)
    limit = 1.15 * max(ends)
    if limit > 4 * LINEAR:
        axes.set_xscale("symlog", linthresh=LINEAR, linscale=1.0)
        decades = [10.0**k for k in range(1, math.ceil(math.log10(limit)) + 1) if 10.0**k <= limit]
        ticks = [-x for x in reversed(decades)] + [-LINEAR, 0.0, LINEAR] + decades
        axes.set_xticks(ticks, [f"{x:g}" for x in ticks])
        axes.minorticks_off()
    axes.set_xlim(-limit, limit)


def _why(one: Comparison) -> str:
    """Why there is no effect size."""
    if one.difference == 0 and not one.sd > 0:
        return "no difference"
    return "all alike" if one.pairs > 2 else f"{one.pairs} pair{'s' * (one.pairs > 1)}"


def _changes(axes: Any, rows: Sequence[Comparison | None]) -> None:
    for y, one in enumerate(rows):
        if one is None:
            continue
        if math.isfinite(one.relative):
            interval = one.relative_interval
            low, high = (interval.low, interval.high) if math.isfinite(interval.low) else (one.relative,) * 2
            _bar(axes, y, 100 * one.relative, 100 * low, 100 * high, one.holm < 0.05)
        if one.survive < one.both or one.survive_against < one.both:
            axes.text(1.0, y, f"{one.survive}/{one.both}", va="center", ha="right", fontsize=7, color="0.35",
                      transform=axes.get_yaxis_transform())  # fmt: skip
    axes.axvline(0, color="0.3", linewidth=0.8)
    axes.margins(x=0.15)
    low, high = axes.get_xlim()
    # changes of less than a per mille look like none
    axes.set_xlim(min(low, -0.1), max(high, 0.1))


def _bar(axes: Any, y: int, value: float, low: float, high: float, significant: bool) -> None:
    colour = OKABE_ITO[0] if value >= 0 else OKABE_ITO[1]
    axes.barh(y, value, height=0.62, color=colour, alpha=1.0 if significant else 0.45)
    errors = np.maximum([[value - low], [high - value]], 0.0)
    axes.errorbar(value, y, xerr=errors, color="black", linewidth=1, capsize=2)
