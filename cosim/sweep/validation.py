"""A sweep beside what was measured on the animal: values, curves, effects of lesions, survival of the rhythm."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cosim.analyse.agreement import compare_one, pearson, rmse
from cosim.analyse.reference import INTACT, SURVIVAL, Reference
from cosim.spec.units import suggest
from cosim.sweep.intervals import Interval, wilson
from cosim.sweep.statistics import Cell, Comparison, Statistics
from cosim.sweep.table import Place
from cosim.sweep.validated import Kind, Validation, animals_of, curves

NAN = float("nan")


def validate(found: Statistics, references: Iterable[Reference]) -> tuple[list[Validation], list[str]]:
    """Every reference beside the sweep, and notes on what could not be compared."""
    table = found.table
    rows: list[Validation] = []
    notes: list[str] = []
    for one in references:
        arm = one.arm or INTACT
        elements = [name for name in table.metrics if name == one.metric or name.startswith(f"{one.metric}[")]
        axis = next((axis for axis in table.axes if axis.path == one.axis), None)
        if arm not in table.arms:
            notes.append(f"{one.metric}: the sweep has no arm {arm}{suggest(arm, table.arms)}")
        elif one.metric == SURVIVAL:
            rows += _survival(found.survival, one, arm)
            if not found.survival:
                notes.append("survival: the sweep measures no frequency that would tell whether there is a rhythm")
        elif not elements:
            notes.append(f"{one.metric}: not measured in this sweep")
        elif one.axis and (axis is None or not axis.numeric):
            near = suggest(one.axis, [axis.path for axis in table.axes])
            notes.append(f"{one.metric}: the sweep does not vary {one.axis} over numbers{near}")
        elif axis is not None and elements != [one.metric]:
            notes.append(f"{one.metric}: a list of values makes no curve over {one.axis}")
        elif axis is not None:
            more, text = curves(table, found.cells, one, arm, axis)
            rows += more
            notes += text
        elif len(elements) != len(one.values):
            notes.append(f"{one.metric}: {len(elements)} values were measured, the reference has {len(one.values)}")
        elif one.effect:
            for i, name in enumerate(elements):
                rows += _effects(found.comparisons, replace(one.at_points([i]), metric=name), arm)
        else:
            rows += _values(found.cells, one, arm, elements)
    return rows, notes


def _values(cells: Sequence[Cell], reference: Reference, arm: str, elements: Sequence[str]) -> list[Validation]:
    """A single value or a list, at every place."""
    groups: dict[Place, list[Cell]] = {}
    for cell in cells:
        if cell.arm == arm and cell.metric in elements:
            groups.setdefault(cell.place, []).append(cell)
    kind: Kind = "value" if len(elements) == 1 else "list"
    return [
        Validation(
            kind, reference, place, min(cell.n for cell in group), tuple(cell.mean for cell in group),
            tuple(cell.interval for cell in group), animals_of(reference),
            compare_one([cell.mean for cell in group], reference),
        )
        for place, group in groups.items()
    ]  # fmt: skip


def _survival(cells: Sequence[Cell], reference: Reference, arm: str) -> list[Validation]:
    found = []
    wanted, n = reference.values[0], reference.n[0]
    animals = wilson(round(wanted * n), int(n)) if n >= 1 else Interval()
    for cell in cells:
        if cell.arm != arm or not cell.finished:
            continue
        size = ""
        if math.isfinite(animals.low):
            apart = cell.rate_interval.low > animals.high or cell.rate_interval.high < animals.low
            size = "intervals apart" if apart else "intervals overlap"
        found.append(
            Validation("survival", reference, cell.place, cell.finished, (cell.rate,), (cell.rate_interval,),
                       (animals,), compare_one([cell.rate], reference), size=size)
        )  # fmt: skip
    return found


def _effects(comparisons: Sequence[Comparison], reference: Reference, arm: str) -> list[Validation]:
    found = []
    for one in comparisons:
        if one.contrast.kind != "effect" or one.contrast.arm != arm or one.metric != reference.metric or not one.both:
            continue
        (animals,) = animals_of(reference)
        agreement = compare_one([one.relative], reference)
        off = agreement.distances[0]
        size = "" if not math.isfinite(off) else "within 2 SD" if abs(off) <= 2 else "beyond 2 SD"
        found.append(
            Validation("effect", reference, one.place, one.pairs, (one.relative,), (one.relative_interval,), (animals,),
                       agreement, _sign(one, reference.values[0], animals), size)
        )  # fmt: skip
    return found


def _sign(one: Comparison, measured: float, animals: Interval) -> str:
    """Whether the effects have one sign, where both are clear: their 95 % intervals leave 0 out, or there is none."""
    if not math.isfinite(one.relative):
        return f"none left to compare: {one.survive} of {one.both} survive"
    here = one.relative != 0 and (one.pairs == 1 or not one.relative_interval.holds_zero)
    there = measured != 0 and (math.isnan(animals.low) or not animals.holds_zero)
    if here and there:
        return "agrees" if one.relative * measured > 0 else "opposite"
    if here:
        return "not clear in the animal"
    return "not clear in the simulation" if there else "not clear in either"


@dataclass(frozen=True)
class Matched:
    """Virtual and real lesions together: in how many the sign agrees, of those clear in both; in how many the size lies
    within two SD, of those with an SD; r and RMSE over all effects that exist."""

    effects: int
    clear: int
    agree: int
    with_sd: int
    within: int
    r: float
    rmse: float


def matched(rows: Iterable[Validation]) -> Matched | None:
    """The effects taken together; None without any."""
    effects = [row for row in rows if row.kind == "effect"]
    if not effects:
        return None
    there = [row for row in effects if math.isfinite(row.simulated[0])]
    simulated, measured = [row.simulated[0] for row in there], [row.reference.values[0] for row in there]
    signs, sizes = [row.sign for row in effects], [row.size for row in effects]
    return Matched(
        len(effects), sum(sign in ("agrees", "opposite") for sign in signs), signs.count("agrees"),
        sum(map(bool, sizes)), sizes.count("within 2 SD"), pearson(simulated, measured),
        rmse(simulated, measured) if there else NAN,
    )  # fmt: skip
