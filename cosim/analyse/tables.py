"""Tables of metrics beside their reference, and statistics over several results."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.analyse.agreement import compare, relative_error, rmse
from cosim.analyse.catalogue import describe
from cosim.analyse.reference import Reference

Value = float | Sequence[float]


@dataclass(frozen=True)
class Line:
    """A line of the table, as text; an element of a list has its own line, the list's r and errors stand on a line
    before. ``distance`` is in standard deviations of the reference."""

    name: str
    title: str
    unit: str
    measured: str
    reference: str
    error: str
    r: str = ""
    rmse: str = ""
    source: str = ""
    distance: str = ""
    nrmse: str = ""
    bias: str = ""


def number(value: float) -> str:
    """Three significant digits; a dash for what does not exist."""
    if not math.isfinite(value):
        return "–"
    text = f"{value:.3g}"
    return text if "e" not in text or not 1e3 <= abs(value) < 1e6 else f"{value:.0f}"


def percent(value: float) -> str:
    """A relative error with its sign."""
    if not math.isfinite(value):
        return "–"
    return f"{100 * value:+.1f} %" if abs(value) >= 0.0005 else "0.0 %"


def lines(metrics: Mapping[str, Value], reference: Mapping[str, Reference]) -> list[Line]:
    """Every metric, with its reference where there is one. Lists get a summary line and one line an element."""
    compared = {row.reference.metric: row for row in compare(metrics, reference)}
    found: list[Line] = []
    for name, value in metrics.items():
        known = describe(name)
        unit, title = (known.unit, known.title) if known else ("", name)
        row = compared.get(name)
        source = row.reference.source if row else ""
        if not isinstance(value, Sequence):
            wanted = with_sd(row.reference, 0) if row else ""
            error = percent(row.relative_error) if row else ""
            deviation, off = (number(row.rmse), sds(row.distances[0])) if row else ("", "")
            found.append(
                Line(name, title, unit, number(float(value)), wanted, error, rmse=deviation, source=source,
                     distance=off, bias=signed(row.bias) if row else "")
            )  # fmt: skip
            continue
        if row:
            found.append(
                Line(name, f"{title}, {len(value)} values", "", "", "", f"±{100 * row.relative_error:.1f} %",
                     f"{row.r:.3f}" if math.isfinite(row.r) else "–", number(row.rmse), source,
                     nrmse=number(row.nrmse), bias=signed(row.bias))
            )  # fmt: skip
        for i, one in enumerate(value):
            wanted = with_sd(row.reference, i) if row else ""
            error = percent(relative_error(one, row.reference.values[i])) if row else ""
            found.append(
                Line(f"{name}[{i + 1}]", f"{title} {i + 1}", unit, number(float(one)), wanted, error,
                     distance=sds(row.distances[i]) if row else "")
            )  # fmt: skip
    return found


def signed(value: float) -> str:
    """Three significant digits with the sign; a dash for what does not exist."""
    return f"+{number(value)}" if value > 0 else number(value)


def sds(distance: float) -> str:
    """A distance in standard deviations; empty where the reference gives none."""
    return f"{distance:+.2f}" if math.isfinite(distance) else ""


def with_sd(reference: Reference, i: int) -> str:
    """A reference value with its standard deviation and number, where given."""
    sd, n = reference.sd[i], reference.n[i] if reference.n else math.nan
    spread = f" ± {number(sd)}" if math.isfinite(sd) else ""
    return number(reference.values[i]) + spread + (f" (n = {n:.0f})" if math.isfinite(n) else "")


def flat(metrics: Mapping[str, Value]) -> dict[str, float]:
    """Metrics with the elements of lists as single numbers name[1], name[2], ..."""
    found: dict[str, float] = {}
    for name, value in metrics.items():
        if isinstance(value, Sequence):
            found.update({f"{name}[{i}]": float(one) for i, one in enumerate(value, 1)})
        else:
            found[name] = float(value)
    return found


def flat_reference(reference: Mapping[str, Reference]) -> dict[str, float]:
    """Reference values under the names that ``flat`` gives."""
    return flat({name: one.values[0] if len(one.values) == 1 else list(one.values) for name, one in reference.items()})


def group_labels(manifests: Sequence[Mapping[str, Any]]) -> list[str]:
    """A label for each run from what differs between the runs apart from the seed: the experiment's name and
    overrides."""
    settings = [
        {
            "experiment": str(one.get("name", "")),
            **{k: str(v) for k, v in (one.get("overrides") or {}).items() if k != "seed"},
        }
        for one in manifests
    ]
    keys = list(dict.fromkeys(key for one in settings for key in one))
    differing = [key for key in keys if len({one.get(key) for one in settings}) > 1]
    labels = []
    for one in settings:
        parts = [
            one[key] if key == "experiment" else f"{key}={one[key]}" if key in one else f"{key} as written"
            for key in differing
        ]
        labels.append(", ".join(parts) or one["experiment"] or "all runs")
    return labels


@dataclass(frozen=True)
class Summary:
    """Mean and standard deviation (n - 1) of a metric over the runs of a group in which it exists."""

    n: int
    mean: float
    sd: float

    def __str__(self) -> str:
        return number(self.mean) if self.n < 2 else f"{number(self.mean)} ± {number(self.sd)}"


def summarise(values: Sequence[float]) -> Summary:
    """Statistics without the runs where the metric does not exist."""
    finite = np.asarray([value for value in values if math.isfinite(value)], dtype=np.float64)
    nan = float("nan")
    return Summary(
        len(finite),
        float(finite.mean()) if len(finite) else nan,
        float(finite.std(ddof=1)) if len(finite) > 1 else nan,
    )


def root_mean_square_error(values: Sequence[float], wanted: float) -> float:
    """RMSE of the runs of a group against one reference value; NaN without runs."""
    finite = [value for value in values if math.isfinite(value)]
    return rmse(finite, [wanted] * len(finite)) if finite else float("nan")
