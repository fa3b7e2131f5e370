"""Statistics and validation of a sweep as columns: for CSV files and for JSON."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from cosim.analyse.catalogue import describe
from cosim.sweep.statistics import Cell, Comparison
from cosim.sweep.table import Place, Table
from cosim.sweep.validated import Validation

T = TypeVar("T")
Columns = dict[str, list[Any]]


def cell_columns(table: Table, cells: Sequence[Cell]) -> Columns:
    """A row a cell."""
    return _columns(table, cells, lambda one: one.place, {
        "arm": lambda one: one.arm, "metric": lambda one: one.metric, "unit": lambda one: _unit(one.metric),
        "planned": lambda one: one.planned, "finished": lambda one: one.finished, "failed": lambda one: one.failed,
        "n": lambda one: one.n, "survival": lambda one: one.rate, "survival_low": lambda one: one.rate_interval.low,
        "survival_high": lambda one: one.rate_interval.high, "mean": lambda one: one.mean, "sd": lambda one: one.sd,
        "low": lambda one: one.interval.low, "high": lambda one: one.interval.high,
    })  # fmt: skip


def comparison_columns(table: Table, comparisons: Sequence[Comparison]) -> Columns:
    """A row a comparison."""
    return _columns(table, comparisons, lambda one: one.place, {
        "kind": lambda one: one.contrast.kind, "arm": lambda one: one.contrast.arm,
        "against": lambda one: one.contrast.against, "metric": lambda one: one.metric,
        "unit": lambda one: _unit(one.metric), "seeds": lambda one: one.both, "pairs": lambda one: one.pairs,
        "difference": lambda one: one.difference, "sd": lambda one: one.sd, "low": lambda one: one.interval.low,
        "high": lambda one: one.interval.high, "relative": lambda one: one.relative,
        "relative_low": lambda one: one.relative_interval.low, "relative_high": lambda one: one.relative_interval.high,
        "effect_size": lambda one: one.effect.size, "effect_size_low": lambda one: one.effect.interval.low,
        "effect_size_high": lambda one: one.effect.interval.high, "p": lambda one: one.p,
        "p_holm": lambda one: one.holm, "comparisons": lambda one: one.comparisons, "survive": lambda one: one.survive,
        "survive_against": lambda one: one.survive_against, "p_survival": lambda one: one.p_survival,
        "p_survival_holm": lambda one: one.holm_survival,
    })  # fmt: skip


def validation_columns(table: Table, rows: Sequence[Validation]) -> Columns:
    """A row a measured number; r, RMSE, NRMSE and bias are those of the list or curve that it belongs to."""
    numbers = [(row, i) for row in rows for i in range(len(row.simulated))]

    def of(get: Callable[[Validation, int], Any]) -> Callable[[tuple[Validation, int]], Any]:
        return lambda pair: get(*pair)

    return _columns(table, numbers, lambda pair: pair[0].place, {
        "kind": of(lambda row, i: row.kind), "arm": of(lambda row, i: row.reference.arm or "intact"),
        "metric": of(lambda row, i: row.reference.metric), "unit": of(lambda row, i: row.reference.unit),
        "index": of(lambda row, i: i + 1 if row.kind == "list" else None),
        "axis": of(lambda row, i: row.reference.axis),
        "at": of(lambda row, i: row.reference.at[i] if row.reference.axis else ""),
        "simulated": of(lambda row, i: row.simulated[i]), "low": of(lambda row, i: row.intervals[i].low),
        "high": of(lambda row, i: row.intervals[i].high), "runs": of(lambda row, i: row.n),
        "animal": of(lambda row, i: row.reference.values[i]), "animal_sd": of(lambda row, i: row.reference.sd[i]),
        "animal_n": of(lambda row, i: row.reference.n[i]), "animal_low": of(lambda row, i: row.animals[i].low),
        "animal_high": of(lambda row, i: row.animals[i].high),
        "difference": of(lambda row, i: row.simulated[i] - row.reference.values[i]),
        "sds": of(lambda row, i: row.agreement.distances[i]), "ratio": of(lambda row, i: row.ratio),
        "sign": of(lambda row, i: row.sign), "size": of(lambda row, i: row.size),
        "r": of(lambda row, i: row.agreement.r),
        "rmse": of(lambda row, i: row.agreement.rmse), "nrmse": of(lambda row, i: row.agreement.nrmse),
        "bias": of(lambda row, i: row.agreement.bias), "source": of(lambda row, i: row.reference.source),
    })  # fmt: skip


def records(columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    """Columns as a list of rows."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _columns(
    table: Table, rows: Sequence[T], place: Callable[[T], Place], columns: Mapping[str, Callable[[T], Any]]
) -> Columns:
    """The columns, the values of the axes as written after the first of them; None for numbers that do not exist."""
    axes: Columns = {}
    for k, axis in enumerate(table.axes):
        axes[axis.path] = ["" if (i := place(one)[k]) is None else axis.values[i] for one in rows]
    found = {name: [_plain(get(one)) for one in rows] for name, get in columns.items()}
    first = next(iter(found))
    return {first: found.pop(first), **axes, **found}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _unit(metric: str) -> str:
    known = describe(metric.partition("[")[0])
    return known.unit if known else ""
