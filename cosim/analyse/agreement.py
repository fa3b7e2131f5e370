"""How simulated values go with measured ones: correlation, error, bias, distance in standard deviations."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cosim.analyse.reference import Reference
from cosim.errors import UserError


def pearson(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Pearson's correlation; NaN for fewer than three pairs or where one of the two does not vary or exist."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.size < 3 or not (np.ptp(a) > 0 and np.ptp(b) > 0):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def rmse(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Root of the mean square difference."""
    difference = np.asarray(x, dtype=np.float64) - np.asarray(y, dtype=np.float64)
    return float(np.sqrt(np.mean(difference**2)))


def nrmse(x: npt.ArrayLike, wanted: npt.ArrayLike) -> float:
    """The root mean square difference over the range (highest minus lowest) of the wanted values; NaN where they do
    not vary."""
    span = float(np.ptp(np.asarray(wanted, dtype=np.float64)))
    return rmse(x, wanted) / span if span > 0 else float("nan")


def bias(x: npt.ArrayLike, wanted: npt.ArrayLike) -> float:
    """Mean of x minus wanted."""
    return float(np.mean(np.asarray(x, dtype=np.float64) - np.asarray(wanted, dtype=np.float64)))


def relative_error(measured: float, wanted: float) -> float:
    """(measured - wanted)/wanted; NaN where ``wanted`` is 0."""
    return (measured - wanted) / wanted if wanted else float("nan")


def distance(measured: float, wanted: float, sd: float) -> float:
    """(measured - wanted) in standard deviations of the reference; NaN without one."""
    return (measured - wanted) / sd if sd > 0 else float("nan")


@dataclass(frozen=True)
class Comparison:
    """A metric beside its reference.

    ``relative_error`` is (measured - reference)/reference for one number and the mean of the absolute relative errors
    for a list; ``distances`` are in standard deviations of the reference. ``r`` is NaN unless there are at least three
    values, ``nrmse`` for a single one.
    """

    reference: Reference
    measured: tuple[float, ...]
    r: float
    rmse: float
    nrmse: float
    bias: float
    relative_error: float
    distances: tuple[float, ...]


def compare_one(measured: Sequence[float], reference: Reference) -> Comparison:
    """Values beside a reference of as many values."""
    wanted = reference.values
    relative = [relative_error(a, b) for a, b in zip(measured, wanted, strict=True)]
    error = relative[0] if len(relative) == 1 else float(np.abs(relative).mean())
    distances = tuple(distance(a, b, sd) for a, b, sd in zip(measured, wanted, reference.sd, strict=True))
    return Comparison(
        reference, tuple(measured), pearson(measured, wanted), rmse(measured, wanted), nrmse(measured, wanted),
        bias(measured, wanted), error, distances,
    )  # fmt: skip


def compare(
    metrics: Mapping[str, float | Sequence[float] | None], reference: Mapping[str, Reference]
) -> list[Comparison]:
    """Compare the metrics that have a reference, in its order. UserError where the lengths of two lists differ."""
    rows = []
    for name, one in reference.items():
        if name not in metrics:
            continue
        value = metrics[name]
        measured = np.atleast_1d(np.asarray(math.nan if value is None else value, dtype=np.float64)).tolist()
        if len(measured) != len(one.values):
            raise UserError(f"{name}: measured {len(measured)} values, the reference has {len(one.values)}")
        rows.append(compare_one(measured, one))
    return rows
