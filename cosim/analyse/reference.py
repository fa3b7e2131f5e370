"""Reference files: values, curves and effects of lesions measured on the animal, with spread, number and source.

A CSV file. Each row is one measured number; docs/validation.md says what the columns mean. Lines that begin with #
are comments.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cosim.analyse.catalogue import METRICS, describe
from cosim.errors import Problem, UserError
from cosim.spec.units import UnitError, Value, parse, suggest

if TYPE_CHECKING:
    from cosim.spec.load import LoadedExperiment

COLUMNS = ("metric", "index", "value", "unit", "sd", "source")
#: columns that a file may have besides
OPTIONAL = ("n", "arm", "effect", "axis", "at")
#: share of runs whose rhythm survives; a sweep counts it, no single run measures it
SURVIVAL = "survival"
#: the arm without a lesion; a row without an arm means it too
INTACT = "intact"

Complaint = Callable[[str, str], None]


@dataclass(frozen=True)
class Reference:
    """A measured value, or several: the elements of a list, or (with ``axis``) a curve over a path that a sweep varies.

    ``sd`` and ``n`` (number of animals or trials) are as many as ``values``, NaN where not given. ``arm`` names the
    lesion under which it was measured (empty: intact). With ``effect`` the values are relative changes against the
    intact animal (-0.4: 40 % less). ``at`` are the places on ``axis``, as written.
    """

    metric: str
    values: tuple[float, ...]
    sd: tuple[float, ...]
    unit: str
    source: str
    n: tuple[float, ...] = ()
    arm: str = ""
    effect: bool = False
    axis: str = ""
    at: tuple[str, ...] = ()

    @property
    def of_a_run(self) -> bool:
        """Whether a single intact run can be compared with it."""
        return not (self.arm or self.effect or self.axis) and self.metric != SURVIVAL

    def positions(self) -> list[Value]:
        """Where the points of a curve lie on its axis, in SI units."""
        return [parse(text).evaluate() for text in self.at]

    def at_points(self, kept: Sequence[int]) -> Reference:
        """The same with some of its values."""
        values, sd, n = (tuple(column[i] for i in kept) for column in (self.values, self.sd, self.n))
        return replace(self, values=values, sd=sd, n=n, at=tuple(self.at[i] for i in kept) if self.axis else ())


@dataclass(frozen=True)
class _Row:
    line: int
    cells: dict[str, str]
    index: int | None
    value: float
    sd: float
    n: float

    @property
    def group(self) -> tuple[str, str, bool, str]:
        """What rows must have in common to make one reference."""
        return self.cells["metric"], self.cells["arm"], bool(self.cells["effect"]), self.cells["axis"]


def reference_of(loaded: LoadedExperiment) -> Path | None:
    """The reference file that an experiment names, None without one.

    It is read, so that what is wrong with it is told before a run and not after. UserError.
    """
    if loaded.spec.reference is None:
        return None
    file: Path = loaded.experiment.folder / str(loaded.spec.reference)
    if not file.is_file():
        raise UserError(loaded.problem("experiment", ("reference",), f"no such file: {file}"))
    read_references(file)
    return file


def of_a_run(references: Iterable[Reference]) -> dict[str, Reference]:
    """Those that an intact run is compared with, by metric."""
    return {one.metric: one for one in references if one.of_a_run}


def read_references(path: Path | str) -> list[Reference]:
    """Read a reference file, in its order; UserError with every problem and its line."""
    file = Path(path)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UserError(f"{file}: no such reference file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read: {error}") from error
    numbered = [(i, text) for i, text in enumerate(lines, 1) if text.strip() and not text.lstrip().startswith("#")]
    if not numbered:
        raise UserError(Problem(str(file), 1, 1, "", f"the file is empty; expected the columns {','.join(COLUMNS)}"))
    header = [cell.strip() for cell in next(csv.reader([numbered[0][1]]))]
    problems = [Problem(str(file), numbered[0][0], 1, "", text) for text in _wrong_header(header)]
    if problems:
        raise UserError(problems)
    groups: dict[tuple[str, str, bool, str], list[_Row]] = {}
    for line, text in numbered[1:]:

        def complain(column: str, message: str, line: int = line) -> None:
            problems.append(Problem(str(file), line, 1, column, message))

        cells = [cell.strip() for cell in next(csv.reader([text]))]
        if len(cells) != len(header):
            complain("", f"expected {len(header)} values, got {len(cells)} (quote a text that holds commas)")
            continue
        row = _parse(line, dict.fromkeys(OPTIONAL, "") | dict(zip(header, cells, strict=True)), complain)
        if row is not None:
            groups.setdefault(row.group, []).append(row)
    found = []
    for rows in groups.values():
        rows, wrong = _in_order(rows)
        problems += [Problem(str(file), line, 1, column, message) for line, column, message in wrong]
        found.append(_gather(rows))
    if problems:
        raise UserError(sorted(problems))
    return found


def _wrong_header(header: Sequence[str]) -> list[str]:
    known = (*COLUMNS, *OPTIONAL)
    unknown = [f"no column {name!r}{suggest(name, known)}; there are {', '.join(known)}" for name in header
               if name not in known]  # fmt: skip
    twice = [f"the column {name} stands there twice" for name in dict.fromkeys(header) if header.count(name) > 1]
    missing = [name for name in COLUMNS if name not in header]
    lacking = [f"expected the columns {','.join(COLUMNS)}, got {','.join(header)}"] if missing else []
    return lacking or unknown + twice


def _parse(line: int, cells: dict[str, str], complain: Complaint) -> _Row | None:
    metric, effect = cells["metric"], bool(cells["effect"])
    known = describe(metric)
    if known is None:
        hint = suggest(metric, METRICS)
        complain("metric", f"no metric {metric!r}{hint}; there are {', '.join(METRICS)}, rate_NAME")
        return None
    if effect == bool(cells["value"]):
        complain("value", "expected a finite number" if not effect else "a row has a value or an effect, not both")
        return None
    numbers: dict[str, float] = {}
    for column in ("effect" if effect else "value", "sd", "index", "n"):
        try:
            numbers[column] = float(cells[column]) if cells[column] else math.nan
        except ValueError:
            complain(column, f"{cells[column]!r} is not a number")
            return None
    value, scale = numbers["effect" if effect else "value"], 1.0
    if effect:
        scale = 0.01 if cells["unit"] == "%" else 1.0
    wanted = ("", "%") if effect else (known.unit,)
    if cells["unit"] not in wanted:
        what = "an effect is a relative change, as a number or in %" if effect else (
            f"{metric} is in {known.unit or 'no unit'}")  # fmt: skip
        complain("unit", f"{what}, got {cells['unit'] or 'no unit'}")
        return None
    for wrong, column, message in (
        (not math.isfinite(value), "effect" if effect else "value", "expected a finite number"),
        (numbers["sd"] < 0 or math.isinf(numbers["sd"]), "sd", "a standard deviation cannot be negative or infinite"),
        (not _counts(numbers["index"]), "index", f"expected a whole number from 1 on, got {cells['index']}"),
        (not _counts(numbers["n"]), "n", f"expected a whole number from 1 on, got {cells['n']}"),
        (effect and not cells["arm"], "arm", "an effect needs the arm (the lesion) that has it"),
        (effect and cells["arm"] == INTACT, "arm", "an effect is a change against the intact animal"),
        (metric == SURVIVAL and not effect and not 0 <= value <= 1, "value", "a rate of survival lies in 0 to 1"),
        (metric == SURVIVAL and effect, "effect", "the rate of survival is compared as a value"),
        (bool(cells["axis"]) and (effect or metric == SURVIVAL), "axis", "only values of a metric make a curve"),
        (bool(cells["axis"]) != bool(cells["at"]), "at", "axis and at go together: a path and a place on it"),
        (bool(cells["axis"]) and bool(cells["index"]), "index", "a curve over an axis has places (at), no index"),
    ):
        if wrong:
            complain(column, message)
            return None
    if cells["at"]:
        try:
            parse(cells["at"]).evaluate()
        except UnitError as error:
            complain("at", str(error))
            return None
    if cells["arm"] == INTACT:
        cells["arm"] = ""
    index = None if math.isnan(numbers["index"]) else int(numbers["index"])
    return _Row(line, cells, index, scale * value, scale * numbers["sd"], numbers["n"])


def _counts(number: float) -> bool:
    return math.isnan(number) or (number >= 1 and number.is_integer())


def _in_order(rows: list[_Row]) -> tuple[list[_Row], list[tuple[int, str, str]]]:
    """The rows of one reference by index or by place, and what is wrong with them: line, column, message."""
    metric = rows[0].cells["metric"]
    if rows[0].cells["axis"]:
        places = [parse(row.cells["at"]).evaluate() for row in rows]
        wrong = []
        for row, place in zip(rows, places, strict=True):
            if place.dim != places[0].dim and place.value != 0 and places[0].value != 0:
                message = f"{metric}: {row.cells['at']} and {rows[0].cells['at']} have different units"
                wrong.append((row.line, "at", message))
        if len({float(place.value) for place in places}) < len(places):
            wrong.append((rows[-1].line, "at", f"{metric}: the places of a curve must differ"))
        order = sorted(range(len(rows)), key=lambda i: float(places[i].value))
        return [rows[i] for i in order], wrong
    if len(rows) == 1 and rows[0].index is None:
        return rows, []
    ordered = sorted(rows, key=lambda row: row.index or 0)
    for position, row in enumerate(ordered, 1):
        if row.index != position:
            given = ", ".join("none" if one.index is None else str(one.index) for one in rows)
            return ordered, [(row.line, "index", f"{metric}: the indices must be 1 to {len(rows)}, got {given}")]
    return ordered, []


def _gather(rows: list[_Row]) -> Reference:
    metric, arm, effect, axis = rows[0].group
    sources = list(dict.fromkeys(row.cells["source"] for row in rows if row.cells["source"]))
    return Reference(
        metric,
        tuple(row.value for row in rows),
        tuple(row.sd for row in rows),
        "" if effect else rows[0].cells["unit"],
        "; ".join(sources),
        tuple(row.n for row in rows),
        arm,
        effect,
        axis,
        tuple(row.cells["at"] for row in rows) if axis else (),
    )
