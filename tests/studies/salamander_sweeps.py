"""What the README of the salamander's cord shows of the three sweeps: tables as CSV, and figures of their reports.

    cosim sweep salamander_feedback
    cosim sweep salamander_ablation
    cosim sweep salamander_delay
    python -m tests.studies.salamander_sweeps [DIR]        # where they are; default: results
    python -m tests.make_readme

A run swims if it has a rhythm (its frequency exists) and the peak-to-trough correlation of its EX neurons is at least
1.5, that is if the two sides alternate over the whole run. Not collected by pytest; a test compares the README's tables
with the files.
"""

from __future__ import annotations

import csv
import math
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from cosim.sweep.report import report
from cosim.sweep.table import Row, Table, read

ROOT = Path(__file__).resolve().parents[2]
CSV = ROOT / "circuits/salamander_cord"
FIGURES = ROOT / "docs/salamander_sweeps"
SWEEPS = ("feedback", "ablation", "delay")
SHOWN = {
    "feedback": ("map_ptcc_1", "map_ptcc_2", "map_ptcc_3"),
    "ablation": ("arms_ptcc", "lesions_frequency"),
    "delay": ("map_frequency", "map_speed"),
}
PTCC = 1.5
_MEANS = ("ptcc", "frequency", "speed")
_HEAD = ("sweep", "row", "column", "y", "x", "arm", "runs", "rhythm", "swims", *_MEANS)


def swims(row: Row) -> bool:
    """Whether the run swims."""
    return math.isfinite(row.metrics.get("frequency", math.nan)) and row.metrics["ptcc"] >= PTCC


def lines(name: str, table: Table) -> list[dict[str, str]]:
    """A line an arm at a place: what is varied, runs, those with a rhythm, those that swim, means over the former."""
    groups: dict[tuple[tuple[int | None, ...], str], list[Row]] = {}
    for row in table.rows:
        if row.status != "not run":
            groups.setdefault((row.place, row.arm), []).append(row)
    found = []
    for (place, arm), rows in groups.items():
        written = list(table.written(place).items())
        (column, x), (line, y) = written[0], written[1] if len(written) > 1 else ("arm", arm)
        alive = [row for row in rows if math.isfinite(row.metrics.get("frequency", math.nan))]
        means = {key: sum(row.metrics[key] for row in alive) / len(alive) if alive else math.nan for key in _MEANS}
        numbers = (len(rows), len(alive), sum(map(swims, rows)))
        values = (name, line, column, y, x, arm, *map(str, numbers), *(f"{means[key]:.2f}" for key in _MEANS))
        found.append(dict(zip(_HEAD, values, strict=True)))
    return found


def main(folder: str = "results") -> None:
    """Write CSV files and figures of the sweeps that are there."""
    FIGURES.mkdir(exist_ok=True)
    for name in SWEEPS:
        place = Path(folder) / f"salamander_{name}"
        if not place.exists():
            print(f"{place}: not there, left as it is")
            continue
        report(place)
        with (CSV / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, _HEAD, lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines(name, read(place)))
        for picture in SHOWN[name]:
            shutil.copyfile(place / "figures" / f"{picture}.png", FIGURES / f"{name}_{picture}.png")


def markdown(name: str) -> str:
    """The tables of a sweep: how many runs swim of how many, one table for every pair of things that are varied."""
    with (CSV / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    pairs = dict.fromkeys((row["row"], row["column"]) for row in rows)
    return "\n\n".join(_grid([row for row in rows if (row["row"], row["column"]) == pair], *pair) for pair in pairs)


def _grid(rows: Sequence[Mapping[str, str]], line: str, column: str) -> str:
    xs, ys = (list(dict.fromkeys(row[key] for row in rows)) for key in ("x", "y"))
    cells = {(row["y"], row["x"]): row for row in rows}
    return "\n".join([
        _line([f"{line} \\ {column}", *xs]),
        _line(["---"] * (len(xs) + 1)),
        *(_line([y, *(_cell(cells.get((y, x))) for x in xs)]) for y in ys),
    ])  # fmt: skip


def _cell(row: Mapping[str, str] | None) -> str:
    if row is None:
        return ""
    return f"{row['swims']}/{row['runs']}" + (f" ({row['ptcc']})" if row["ptcc"] != "nan" else "")


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main(*sys.argv[1:])
