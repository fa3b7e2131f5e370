"""The table of a sweep: one row a planned run, in plan order, read from the sweep's directory.

The directory holds ``sweep.json`` (axes, arms, seeds, metrics, and the plan: every run with its place) and
``rows/<run>.json``, one file a finished run. The table depends on what the rows say and on nothing else: how, when
and in which order they were made leaves no trace, so equal rows make equal files.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cosim.analyse.tables import flat
from cosim.errors import UserError

PLAN = "sweep.json"
ROWS = "rows"
#: measured values of the animal, copied from where the experiment names them
REFERENCE = "reference.csv"
#: what the name of an arm with shuffled wiring ends in
CONTROL = "+shuffled"

Status = Literal["complete", "failed", "not run"]
#: where a run stands: the number of its value on each axis, None where the axis is left as written
Place = tuple[int | None, ...]


@dataclass(frozen=True)
class Axis:
    """A path that is varied: its values as written, and in SI units (``unit``) where they are numbers."""

    path: str
    values: tuple[str, ...]
    si: tuple[float, ...]
    unit: str

    @property
    def numeric(self) -> bool:
        return bool(self.si) and all(map(math.isfinite, self.si))

    @property
    def factor(self) -> float:
        """What an SI value is multiplied by to be shown."""
        return next((value / si for value, si in zip(self.shown()[0], self.si, strict=True) if si), 1.0)

    def shown(self) -> tuple[list[float], str]:
        """The values and their unit for a reader: as written where all are numbers with the same unit, else in SI."""
        parts = [_NUMBER.fullmatch(text.strip()) for text in self.values]
        units = {part[2] for part in parts if part}
        if all(parts) and len(units) == 1:
            return [float(part[1]) for part in parts if part], units.pop()
        return list(self.si), "" if self.unit == "1" else self.unit


_NUMBER = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([A-Za-z%/*^\d ()-]*)")


@dataclass(frozen=True)
class Row:
    """A planned run and what came of it; ``metrics`` is empty unless it is complete, NaN stands for no rhythm etc."""

    run: str
    place: Place
    arm: str
    seed: int
    status: Status
    reason: str
    metrics: Mapping[str, float]
    hashes: Mapping[str, str]


@dataclass(frozen=True)
class Table:
    """A sweep's rows in plan order. ``metrics`` are the columns asked for, the elements of lists as name[1], ..."""

    path: Path
    facts: Mapping[str, Any]
    axes: tuple[Axis, ...]
    arms: tuple[str, ...]
    seeds: tuple[int, ...]
    metrics: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def title(self) -> str:
        return str(self.facts.get("title") or self.facts["name"])

    @property
    def places(self) -> list[Place]:
        """Every combination of axis values that is planned, in order."""
        return list(dict.fromkeys(row.place for row in self.rows))

    def written(self, place: Place) -> dict[str, str]:
        """Path -> value as written, of the axes that a place is on."""
        return {axis.path: axis.values[i] for axis, i in zip(self.axes, place, strict=True) if i is not None}

    def count(self, status: Status) -> int:
        """Runs of that status."""
        return sum(row.status == status for row in self.rows)

    def failures(self) -> dict[str, list[str]]:
        """The runs that failed, by reason."""
        found: dict[str, list[str]] = {}
        for row in self.rows:
            if row.status == "failed":
                found.setdefault(row.reason, []).append(row.run)
        return found

    def columns(self) -> dict[str, list[Any]]:
        """The columns by name; None for a number and "" for a text that does not exist.

        run, arm, seed; each axis as written and, where its values are numbers, as ``path [unit]`` in SI units; status,
        reason; the metrics; the hashes of what the run computed.
        """
        found: dict[str, list[Any]] = {
            "run": [row.run for row in self.rows],
            "arm": [row.arm for row in self.rows],
            "seed": [row.seed for row in self.rows],
        }
        for k, axis in enumerate(self.axes):
            numbers = [row.place[k] for row in self.rows]
            found[axis.path] = ["" if i is None else axis.values[i] for i in numbers]
            if axis.numeric:
                found[f"{axis.path} [{axis.unit or '1'}]"] = [None if i is None else axis.si[i] for i in numbers]
        found["status"] = [row.status for row in self.rows]
        found["reason"] = [row.reason for row in self.rows]
        for name in self.metrics:
            found[name] = [_finite(row.metrics.get(name, math.nan)) for row in self.rows]
        for name in sorted({name for row in self.rows for name in row.hashes}):
            found[f"hash {name}"] = [row.hashes.get(name, "") for row in self.rows]
        return found


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def read(path: Path | str) -> Table:
    """The table of the sweep in the directory ``path``. Raises UserError where there is none, or none that can be read.

    Runs that have no row that counts are "not run"; rows of runs that are not planned are left alone.
    """
    folder = Path(path)
    if not folder.exists():
        raise UserError(f"{folder}: no such directory")
    if not (folder / PLAN).is_file():
        raise UserError(f"{folder}: not the result of a sweep (it has no {PLAN})")
    facts = _load(folder / PLAN)
    try:
        axes = tuple(
            Axis(one["path"], tuple(map(str, one["values"])), tuple(map(_number, one["si"] or ())), one["unit"] or "")
            for one in facts["axes"]
        )
        measure = list(map(str, facts["measure"]))
        planned = [_row(folder, entry, axes, measure) for entry in facts["plan"]]
        arms, seeds = tuple(facts["arms"]), tuple(int(seed) for seed in facts["seeds"])
        metrics = _metrics(measure, planned)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        what = f"no entry {error}" if isinstance(error, KeyError) else str(error)
        raise UserError(f"{folder / PLAN}: not a plan of a sweep: {what}") from error
    return Table(folder, facts, axes, arms, seeds, metrics, tuple(planned))


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{file}: expected a JSON object")
    return content


def _row(folder: Path, entry: Mapping[str, Any], axes: Sequence[Axis], measure: Sequence[str]) -> Row:
    run, arm, seed = str(entry["run"]), str(entry["arm"]), int(entry["seed"])
    place = tuple(entry["axes"].get(axis.path) for axis in axes)
    for axis, i in zip(axes, place, strict=True):
        if i is not None and not 0 <= i < len(axis.values):
            raise ValueError(f"run {run}: {axis.path} has no value number {i}")
    content = _counting(folder / ROWS / f"{run}.json", str(entry["hash"]), measure)
    if content is None:
        return Row(run, place, arm, seed, "not run", "", {}, {})
    status: Status = "complete" if content.get("status") == "complete" else "failed"
    # lines of a message would tear the table apart
    reason = " ".join(str(content.get("reason") or "").split())
    metrics = {}
    if status == "complete":
        metrics = flat({
            name: [_number(x) for x in value] if isinstance(value, list) else _number(value)
            for name, value in (content.get("metrics") or {}).items()
        })  # fmt: skip
    hashes = {str(name): str(value) for name, value in (content.get("hashes") or {}).items() if value is not None}
    return Row(run, place, arm, seed, status, reason, metrics, hashes)


def _counting(file: Path, wanted: str, measure: Sequence[str]) -> dict[str, Any] | None:
    """A row as it stands in its file; None where there is none, or one that the sweep would make again: of an earlier
    plan (another hash), or without all metrics that are asked for now."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(content, dict) or content.get("hash") != wanted:
        return None
    there = {name.partition("[")[0] for name in content.get("metrics") or {}}
    return content if content.get("status") != "complete" or there.issuperset(measure) else None


def _number(value: Any) -> float:
    return math.nan if value is None else float(value)


def _metrics(measure: list[str], rows: Sequence[Row]) -> tuple[str, ...]:
    """The columns of the metrics asked for: those of a list by number, after what the rows hold."""
    there = list(dict.fromkeys(name for row in rows for name in row.metrics))
    found: list[str] = []
    for name in measure:
        elements = [one for one in there if one.startswith(f"{name}[")]
        found += sorted(elements, key=lambda one: int(one[len(name) + 1 : -1])) or [name]
    return tuple(dict.fromkeys(found if measure else there))
