"""The sections of a sweep's page: what was run, differences, validation, statistics, failures, methods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from cosim.analyse import page
from cosim.analyse.tables import number, percent, sds, signed, with_sd
from cosim.sweep.drawing import metric_label
from cosim.sweep.intervals import Interval
from cosim.sweep.statistics import Cell, Comparison
from cosim.sweep.table import Place, Table
from cosim.sweep.validated import Validation
from cosim.sweep.validation import matched

Row = TypeVar("Row", Cell, Comparison)

#: rows of a table on the page; the CSV files have all
MOST = 300

#: kind of contrast -> heading
_KINDS = {
    "effect": "Lesions against intact",
    "control": "Against the null control (shuffled wiring)",
    "effect under control": "Lesions within shuffled wiring",
    "specific": "Effects beyond those within shuffled wiring",
}


def run(table: Table) -> str:
    """What was run: axes, arms, seeds, how many runs ended how."""
    facts = {
        "sweep": table.facts["name"],
        "experiment": table.facts.get("experiment", ""),
        "runs": f"{len(table.rows)} planned: {table.count('complete')} complete, {table.count('failed')} failed, "
        f"{table.count('not run')} not run",
        "seeds": ", ".join(map(str, table.seeds)),
        "arms": ", ".join(table.arms),
    }
    for axis in table.axes:
        facts[axis.path] = ", ".join(axis.values)
    return page.facts("What was run", facts)


def comparisons(table: Table, rows: Sequence[Comparison]) -> list[str]:
    """A table a kind of contrast."""
    found = []
    for kind, heading in _KINDS.items():
        mine = [one for one in rows if one.contrast.kind == kind]
        if not mine:
            continue
        head = ["arm", "against", *_axes(table), "metric", "pairs", "difference", "95 %", "change", "g_z", "95 %", "p",
                "p (Holm)", "of", "survive", "against", "p (Holm)"]  # fmt: skip
        lines = [
            [one.contrast.arm, one.contrast.against, *_place(table, one.place), metric_label(one.metric),
             str(one.pairs), signed(one.difference), _interval(one.interval), percent(one.relative),
             signed(one.effect.size),
             _interval(one.effect.interval), _p(one.p), _p(one.holm), str(one.comparisons),
             f"{one.survive}/{one.both}", f"{one.survive_against}/{one.both}", _p(one.holm_survival)]
            for one in _first(mine)
        ]  # fmt: skip
        note = (
            "Means over the seeds in which the metric exists in all arms compared (pairs). Change: the difference over "
            "the mean of the arm that is compared with. The last p is that of the difference in survival."
        )
        found.append(page.table(heading, head, lines, note + _rest(mine, "comparisons.csv")))
    return found


def validation(table: Table, rows: Sequence[Validation], notes: Sequence[str]) -> list[str]:
    """Simulation and animal side by side: values and curves, matched lesions, survival."""
    found = []
    values = [row for row in rows if row.kind in ("value", "list", "curve")]
    if values:
        head = ["arm", *_axes(table), "metric", "runs", "simulated", "95 %", "animal", "relative error", "SDs", "r",
                "RMSE", "NRMSE", "bias", "source"]  # fmt: skip
        lines = [_value(table, row) for row in values[:MOST]]
        note = (
            "Animal: mean ± SD (number). SDs: the difference in standard deviations of the animals. Lists and curves: "
            "mean absolute relative error, Pearson's r, root mean square error, the same over the range of the "
            "animal's values, mean difference; the points of a curve between swept values are interpolated."
        )
        found.append(page.table("Beside the animal", head, lines, note + _rest(values, "validation.csv")))
    effects = [row for row in rows if row.kind == "effect"]
    together = matched(rows)
    if together is not None:
        head = ["arm", *_axes(table), "metric", "pairs", "simulated", "95 %", "animal", "95 % of its mean", "sign",
                "ratio", "SDs", "size", "source"]  # fmt: skip
        lines = [_effect(table, row) for row in effects[:MOST]]
        note = (
            f"Relative changes against intact. Of {together.effects} effects, {together.clear} are clear (95 % "
            f"interval without 0) in simulation and animal, and {together.agree} of those have the same sign; "
            f"{together.within} of {together.with_sd} lie within two SD of the animals. Over all: r = "
            f"{number(together.r)}, RMSE = {number(100 * together.rmse)} percentage points."
        )
        found.append(page.table("Virtual and real lesions", head, lines, note + _rest(effects, "validation.csv")))
    rates = [row for row in rows if row.kind == "survival"]
    if rates:
        head = ["arm", *_axes(table), "runs", "simulated", "95 %", "animal", "95 %", "", "source"]
        lines = [
            [row.reference.arm or "intact", *_place(table, row.place), str(row.n), number(row.simulated[0]),
             _interval(row.intervals[0]), with_sd(row.reference, 0), _interval(row.animals[0]), row.size,
             row.reference.source]
            for row in rates[:MOST]
        ]  # fmt: skip
        found.append(page.table("Survival of the rhythm beside the animal", head, lines, ""))
    return found + [page.note(f"Not compared: {text}") for text in notes]


def _value(table: Table, row: Validation) -> list[str]:
    several = len(row.simulated) > 1
    agreement = row.agreement
    error = percent(agreement.relative_error)
    places = _place(table, row.place)
    if row.reference.axis:
        places[[axis.path for axis in table.axes].index(row.reference.axis)] = "curve"
    return [
        row.reference.arm or "intact",
        *places,
        metric_label(row.reference.metric),
        str(row.n),
        f"{len(row.simulated)} values" if several else number(row.simulated[0]),
        "" if several else _interval(row.intervals[0]),
        "" if several else with_sd(row.reference, 0),
        error.replace("+", "±") if several else error,
        "" if several else sds(agreement.distances[0]),
        f"{agreement.r:.3f}" if math.isfinite(agreement.r) else "",
        number(agreement.rmse),
        number(agreement.nrmse) if several else "",
        signed(agreement.bias),
        row.reference.source,
    ]


def _effect(table: Table, row: Validation) -> list[str]:
    return [
        row.reference.arm,
        *_place(table, row.place),
        metric_label(row.reference.metric),
        str(row.n),
        percent(row.simulated[0]),
        _interval(row.intervals[0], 100),
        percent(row.reference.values[0])
        + (f" ± {number(100 * row.reference.sd[0])} %" if math.isfinite(row.reference.sd[0]) else "")
        + (f" (n = {row.reference.n[0]:.0f})" if math.isfinite(row.reference.n[0]) else ""),
        _interval(row.animals[0], 100),
        row.sign,
        number(row.ratio),
        sds(row.agreement.distances[0]),
        row.size,
        row.reference.source,
    ]


def cells(table: Table, rows: Sequence[Cell]) -> str:
    """Every arm at every place."""
    head = ["arm", *_axes(table), "metric", "survive", "rate", "95 %", "mean", "SD", "95 %"]
    lines = [
        [one.arm, *_place(table, one.place), metric_label(one.metric), f"{one.n}/{one.finished}", number(one.rate),
         _interval(one.rate_interval), number(one.mean), number(one.sd), _interval(one.interval)]
        for one in _first(rows)
    ]  # fmt: skip
    note = "Means, standard deviations and intervals over the survivors alone: the runs in which the metric exists."
    return page.table("Statistics", head, lines, note + _rest(rows, "statistics.csv"))


def failures(table: Table) -> list[str]:
    """Why runs failed."""
    reasons = table.failures()
    if not reasons:
        return []
    lines = [
        [str(len(runs)), reason or "no reason was given", ", ".join(runs[:12]) + " ..." * (len(runs) > 12)]
        for reason, runs in reasons.items()
    ]
    return [page.table("Runs that failed", ["runs", "reason", "which"], lines, "")]


_METHODS = """\
Survival: a metric exists in a run that is complete and in which it is a number (there is no frequency, wave or speed
per cycle where nothing oscillates). Its rate is that of the finished runs, failed ones among them, with Wilson's 95 %
score interval.

Intervals of means: bootstrap with 10 000 resamples, expanded percentiles (Hesterberg 2015), which at few seeds cover
more than plain percentiles and BCa do (with 5 normal values 92 % instead of 83 %). The resamples depend on the number
of runs alone: the same table gives the same intervals.

Differences are paired by seed: arms with the same seed have the same network and noise but for the lesion. Effect size:
g_z, the mean of the differences over their standard deviation (Cohen's d_z) with Hedges' correction; its interval is
that of a noncentral t (exact for normal differences). A lesion that changes every seed alike has a large g_z even where
the change is small: read it beside the change.

p: two-sided sign-flip test of the mean difference, over all 2^n assignments up to 16 pairs, else 65 536 drawn ones;
survival the same way (McNemar's exact test). Corrected by Holm's method for the comparisons of the same kind and metric
(column `of`), not across metrics.

Phases (in cycles) are averaged on the circle.
"""
METHODS = "<h2>How this was computed</h2>" + "".join(map(page.note, _METHODS.split("\n\n")))


def reproduce(table: Table, digest: str) -> str:
    """How to get the same again."""
    name = table.facts["name"]
    text = f"cosim sweep {name}\ncosim sweep report {table.path}"
    note = f"cosim {table.facts.get('cosim', '')}; the same rows give a table.csv with the SHA-256 {digest}."
    return page.listing("Do it again", text, note)


def _axes(table: Table) -> list[str]:
    return [axis.path for axis in table.axes]


def _place(table: Table, place: Place) -> list[str]:
    return ["as written" if i is None else axis.values[i] for axis, i in zip(table.axes, place, strict=True)]


def _interval(interval: Interval, scale: float = 1.0) -> str:
    if not math.isfinite(interval.low):
        return "–"
    return f"{number(scale * interval.low)} to {number(scale * interval.high)}"


def _p(p: float) -> str:
    return "–" if not math.isfinite(p) else "<0.0001" if p < 1e-4 else f"{p:.2g}"


def _first(rows: Sequence[Row]) -> list[Row]:
    """The rows that fit on the page, single numbers before the elements of lists."""
    ordered = sorted(rows, key=lambda one: "[" in one.metric)
    return ordered[:MOST]


def _rest(rows: Sequence[object], file: str) -> str:
    return f" {len(rows) - MOST} more rows are in {file}." if len(rows) > MOST else ""
