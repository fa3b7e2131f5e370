"""Reference values (measured on the animal, published) and how a run compares with them.

A reference file is CSV with the columns metric, index, value, unit, sd, source; ``index`` counts the elements of a
list from 1 and is empty for a single number, ``sd`` may be empty. Lines that begin with # are comments.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cosim.analyse.catalogue import METRICS, describe
from cosim.errors import Problem, UserError

COLUMNS = ("metric", "index", "value", "unit", "sd", "source")


Complaint = Callable[[int, str, str], None]


@dataclass(frozen=True)
class Reference:
    """A reference metric: one value, or several for a list; ``sd`` as many, NaN where none is given."""

    metric: str
    values: tuple[float, ...]
    sd: tuple[float, ...]
    unit: str
    source: str


@dataclass(frozen=True)
class _Row:
    line: int
    index: int | None
    value: float
    sd: float
    unit: str
    source: str


def load_reference(path: Path | str) -> dict[str, Reference]:
    """Read a reference file; UserError with every problem and its line."""
    file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise UserError(f"{file}: no such reference file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from error
    problems: list[Problem] = []

    def complain(line: int, column: str, message: str) -> None:
        problems.append(Problem(str(file), line, 1, column, message))

    numbered = [(i, text) for i, text in enumerate(lines, 1) if text.strip() and not text.lstrip().startswith("#")]
    if not numbered:
        raise UserError(Problem(str(file), 1, 1, "", f"the file is empty; expected the columns {','.join(COLUMNS)}"))
    header = tuple(cell.strip() for cell in next(csv.reader([numbered[0][1]])))
    if header != COLUMNS:
        raise UserError(
            Problem(
                str(file), numbered[0][0], 1, "", f"expected the columns {','.join(COLUMNS)}, got {','.join(header)}"
            )
        )
    rows: dict[str, list[_Row]] = {}
    for line, text in numbered[1:]:
        cells = [cell.strip() for cell in next(csv.reader([text]))]
        if len(cells) != len(COLUMNS):
            complain(line, "", f"expected {len(COLUMNS)} values, got {len(cells)} (quote a text that holds commas)")
            continue
        row = _parse(dict(zip(COLUMNS, cells, strict=True)), line, complain)
        if row is not None:
            rows.setdefault(cells[0], []).append(row)
    found = {metric: _gather(metric, group, complain) for metric, group in rows.items()}
    if problems:
        raise UserError(sorted(problems))
    return found


def _parse(cells: dict[str, str], line: int, complain: Complaint) -> _Row | None:
    known = describe(cells["metric"])
    if known is None:
        complain(line, "metric", f"no metric {cells['metric']!r}; there are {', '.join(METRICS)}, rate_NAME")
        return None
    if cells["unit"] != known.unit:
        complain(line, "unit", f"{cells['metric']} is in {known.unit or 'no unit'}, got {cells['unit'] or 'no unit'}")
        return None
    numbers: dict[str, float] = {}
    for column in ("value", "sd", "index"):
        text = cells[column]
        try:
            numbers[column] = float(text) if text else math.nan
        except ValueError:
            complain(line, column, f"{text!r} is not a number")
            return None
    index = numbers["index"]
    if not math.isfinite(numbers["value"]):
        complain(line, "value", "expected a finite number")
        return None
    if numbers["sd"] < 0:
        complain(line, "sd", "a standard deviation cannot be negative")
        return None
    if not math.isnan(index) and (index < 1 or not index.is_integer()):
        complain(line, "index", f"expected a whole number from 1 on, got {cells['index']}")
        return None
    number = None if math.isnan(index) else int(index)
    return _Row(line, number, numbers["value"], numbers["sd"], cells["unit"], cells["source"])


def _gather(metric: str, rows: list[_Row], complain: Complaint) -> Reference:
    if len(rows) > 1 or rows[0].index is not None:
        given = [row.index for row in rows]
        for row, position in zip(sorted(rows, key=lambda row: row.index or 0), range(1, len(rows) + 1), strict=True):
            if row.index != position:
                complain(row.line, "index", f"{metric}: the indices must be 1 to {len(rows)}, got {_list(given)}")
                break
        rows = sorted(rows, key=lambda row: row.index or 0)
    sources = list(dict.fromkeys(row.source for row in rows if row.source))
    return Reference(
        metric, tuple(row.value for row in rows), tuple(row.sd for row in rows), rows[0].unit, "; ".join(sources)
    )


def _list(indices: Sequence[int | None]) -> str:
    return ", ".join("none" if index is None else str(index) for index in indices)


def pearson(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Pearson's correlation; NaN for fewer than three pairs or where one of the two does not vary."""
    a, b = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if a.size < 3 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def rmse(x: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Root of the mean square difference."""
    difference = np.asarray(x, dtype=np.float64) - np.asarray(y, dtype=np.float64)
    return float(np.sqrt(np.mean(difference**2)))


def relative_error(measured: float, wanted: float) -> float:
    """(measured - wanted)/wanted; NaN where ``wanted`` is 0."""
    return (measured - wanted) / wanted if wanted else float("nan")


@dataclass(frozen=True)
class Comparison:
    """A metric beside its reference.

    ``relative_error`` is (measured - reference)/reference for one number and the mean of the absolute relative
    errors for a list; ``r`` is NaN unless there are at least three values.
    """

    reference: Reference
    measured: tuple[float, ...]
    r: float
    rmse: float
    relative_error: float


def compare(
    metrics: Mapping[str, float | Sequence[float] | None], reference: Mapping[str, Reference]
) -> list[Comparison]:
    """Compare the metrics that have a reference, in its order. UserError where the lengths of two lists differ."""
    rows = []
    for name, one in reference.items():
        if name not in metrics:
            continue
        value = metrics[name]
        measured = np.atleast_1d(np.asarray(math.nan if value is None else value, dtype=np.float64))
        wanted = np.asarray(one.values)
        if measured.shape != wanted.shape:
            raise UserError(f"{name}: measured {measured.size} values, the reference has {wanted.size}")
        relative = [relative_error(float(a), float(b)) for a, b in zip(measured, wanted, strict=True)]
        error = relative[0] if len(relative) == 1 else float(np.abs(relative).mean())
        rows.append(
            Comparison(one, tuple(float(v) for v in measured), pearson(measured, wanted), rmse(measured, wanted), error)
        )
    return rows
