"""Statistics of a sweep: what each arm does at each place, and what differs between arms, paired by seed.

A metric exists in a run that is complete and in which it is a number: a frequency is none where nothing oscillates.
Such runs are called survivors. Means are taken over survivors alone, and stand beside the rate of survival; a run that
failed is no survivor, one that was not run yet does not count.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.catalogue import describe
from cosim.analyse.reference import INTACT
from cosim.sweep.intervals import Effect, Interval, bootstrap, paired_effect, wilson
from cosim.sweep.significance import holm, sign_flip
from cosim.sweep.table import CONTROL, Place, Row, Table

F64 = NDArray[np.float64]
NAN = float("nan")

#: the metrics that say whether there is a rhythm, the body's before the network's
RHYTHM = ("frequency", "neural_frequency")

Index = Mapping[tuple[Place, str], Mapping[int, Row]]


@dataclass(frozen=True)
class Cell:
    """One metric in one arm at one place.

    ``finished`` runs are complete or failed, ``n`` of them have the metric; ``rate`` is n/finished with its Wilson
    interval. ``mean``, ``sd`` (n - 1) and ``interval`` (bootstrap) are those of the n.
    """

    metric: str
    arm: str
    place: Place
    planned: int
    finished: int
    failed: int
    n: int
    rate: float
    rate_interval: Interval
    mean: float
    sd: float
    interval: Interval


@dataclass(frozen=True)
class Contrast:
    """A difference between arms: a sum of arms with signs. ``kind`` groups those that are corrected together."""

    kind: str
    arm: str
    against: str
    terms: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Comparison:
    """A contrast of one metric at one place, over the ``pairs`` of seeds in which all its arms have the metric.

    ``difference`` is the mean, ``interval`` its bootstrap interval, ``relative`` the same over the mean of the arm that
    is compared with (NaN for a difference of differences). ``p`` and ``p_survival`` are those of sign-flip tests of the
    metric and of its existence (over the ``both`` seeds finished in all arms; for two arms that is McNemar's exact
    test), ``holm`` and ``holm_survival`` corrected for the ``comparisons`` of that kind and metric.
    """

    contrast: Contrast
    metric: str
    place: Place
    both: int
    pairs: int
    survive: int
    survive_against: int
    difference: float
    sd: float
    interval: Interval
    relative: float
    relative_interval: Interval
    effect: Effect
    p: float
    p_survival: float
    holm: float = NAN
    holm_survival: float = NAN
    comparisons: int = 0


@dataclass(frozen=True)
class Statistics:
    """All statistics of a sweep; ``survival`` are the cells of the metric that tells whether there is a rhythm (empty
    where no frequency was measured)."""

    table: Table
    cells: Sequence[Cell]
    comparisons: Sequence[Comparison]
    survival: Sequence[Cell]


def statistics(table: Table) -> Statistics:
    """All statistics of a sweep."""
    told_by = rhythm(table)
    return Statistics(table, cells(table), comparisons(table), cells(table, [told_by]) if told_by else [])


def index(table: Table) -> Index:
    """The rows by place and arm, then seed."""
    found: dict[tuple[Place, str], dict[int, Row]] = {}
    for row in table.rows:
        found.setdefault((row.place, row.arm), {})[row.seed] = row
    return found


def rhythm(table: Table) -> str | None:
    """The metric that tells whether the rhythm survives; None where no frequency was measured."""
    there = {name for row in table.rows for name in row.metrics}
    return next((name for name in RHYTHM if name in there), None)


def cells(table: Table, metrics: Sequence[str] | None = None) -> list[Cell]:
    """Every metric (or those named) in every arm at every place that is planned, in plan order."""
    rows = index(table)
    return [
        _cell(metric, arm, place, list(rows[place, arm].values()))
        for place in table.places
        for arm in table.arms
        if (place, arm) in rows
        for metric in (table.metrics if metrics is None else metrics)
    ]


def _cell(metric: str, arm: str, place: Place, rows: list[Row]) -> Cell:
    finished = [row for row in rows if row.status != "not run"]
    values = _straight(metric, np.array([x for row in finished if math.isfinite(x := _value(row, metric))]))
    n = len(values)
    return Cell(
        metric, arm, place, len(rows), len(finished), sum(row.status == "failed" for row in finished), n,
        n / len(finished) if finished else NAN, wilson(n, len(finished)),
        float(values.mean()) if n else NAN, float(values.std(ddof=1)) if n > 1 else NAN, bootstrap(values),
    )  # fmt: skip


def _straight(metric: str, values: F64) -> F64:
    """Values of which means can be taken: phases in cycles as those nearest to their circular mean."""
    known = describe(metric)
    if known is None or not known.circular or not len(values):
        return values
    middle = float(np.angle(np.exp(2j * np.pi * values).mean()) / (2 * np.pi) % 1.0)
    return np.asarray(middle + (values - middle + 0.5) % 1.0 - 0.5)


def _value(row: Row, metric: str) -> float:
    return row.metrics.get(metric, NAN)


def contrasts(arms: Sequence[str]) -> list[Contrast]:
    """What can be compared among arms.

    ``effect``: a lesion against intact. ``control``: an arm against the same with shuffled wiring (a lesion without one
    against intact with shuffled wiring). ``effect under control``: the lesion within shuffled wiring. ``specific``: how
    far the lesion's effect goes beyond the one it has there.
    """
    found: list[Contrast] = []
    null = INTACT + CONTROL
    plain = [arm for arm in arms if not arm.endswith(CONTROL)]
    lesions = [arm for arm in plain if arm != INTACT]

    def add(kind: str, arm: str, *terms: tuple[str, int]) -> None:
        if all(name in arms for name, _ in terms):
            found.append(Contrast(kind, arm, " and ".join(name for name, sign in terms if sign < 0), terms))

    for arm in lesions:
        add("effect", arm, (arm, 1), (INTACT, -1))
    for arm in plain:
        own = arm + CONTROL
        add("control", arm, (arm, 1), (own if own in arms else null, -1))
    for arm in lesions:
        own = arm + CONTROL
        add("effect under control", own, (own, 1), (null, -1))
        add("specific", arm, (arm, 1), (INTACT, -1), (own, -1), (null, 1))
    return found


def comparisons(table: Table) -> list[Comparison]:
    """Every contrast of every metric at every place where its arms are planned.

    p-values are corrected (Holm) for the number of comparisons of the same kind and metric, over arms, places and, for
    a list, its elements.
    """
    rows = index(table)
    found = [
        _compare(contrast, metric, place, [rows[place, arm] for arm, _ in contrast.terms])
        for contrast in contrasts(table.arms)
        for place in table.places
        if all((place, arm) in rows for arm, _ in contrast.terms)
        for metric in table.metrics
    ]
    families: dict[tuple[str, str], list[int]] = {}
    for i, one in enumerate(found):
        families.setdefault((one.contrast.kind, one.metric.partition("[")[0]), []).append(i)
    for members in families.values():
        corrected = holm([found[i].p for i in members])
        survival = holm([found[i].p_survival for i in members])
        m = sum(map(math.isfinite, corrected))
        for i, p, q in zip(members, corrected, survival, strict=True):
            found[i] = replace(found[i], holm=p, holm_survival=q, comparisons=m)
    return found


def _compare(contrast: Contrast, metric: str, place: Place, arms: list[Mapping[int, Row]]) -> Comparison:
    seeds = [seed for seed in arms[0] if all(seed in arm and arm[seed].status != "not run" for arm in arms)]
    values = np.array([[_value(arm[seed], metric) for arm in arms] for seed in seeds]).reshape(-1, len(arms))
    signs = np.array([float(sign) for _, sign in contrast.terms])
    exists = np.isfinite(values)
    paired = values[exists.all(axis=1)]
    differences = _combined(paired, signs)
    known = describe(metric)
    turns = known is not None and known.circular
    if turns:
        differences = _straight(metric, differences)
        differences -= np.round(differences.mean()) if len(differences) else 0.0
    n = len(differences)
    mean = float(differences.mean()) if n else NAN
    relative, relative_interval = NAN, Interval()
    if len(arms) == 2 and n and not turns and (baseline := float(paired[:, 1].mean())):
        relative = mean / abs(baseline)
        relative_interval = bootstrap(paired, _relative)
    return Comparison(
        contrast, metric, place, len(seeds), n, int(exists[:, 0].sum()), int(exists[:, 1].sum()), mean,
        float(differences.std(ddof=1)) if n > 1 else NAN, bootstrap(differences), relative, relative_interval,
        paired_effect(differences), sign_flip(differences), sign_flip(_combined(exists.astype(np.float64), signs)),
    )  # fmt: skip


def _combined(values: F64, signs: F64) -> F64:
    """Signed sums of the columns, term by term: a matrix product may add in another order."""
    total = np.zeros(len(values))
    for column, sign in zip(values.T, signs, strict=True):
        total += sign * column
    return total


def _relative(means: F64) -> F64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((means[:, 0] - means[:, 1]) / np.abs(means[:, 1]))
