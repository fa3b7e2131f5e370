"""What the figures of a sweep have in common: style, names, colours, and which places belong into one picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cosim.analyse.catalogue import describe
from cosim.analyse.overview import STYLE
from cosim.record.extras import need
from cosim.sweep.table import Axis, Place, Table

#: inches; a page is as wide as a laptop's window
WIDTH = 11.0
#: map of means and of rates, and of differences; both can be told apart under colour blindness
MEANS, DIFFERENCES = "viridis", "PuOr"


@dataclass(frozen=True)
class Picture:
    """A PNG file and what it shows."""

    path: Path
    text: str


@dataclass(frozen=True)
class Block:
    """Places that differ in the same axes: ``axes`` are their numbers (those with several values), ``grid`` whether
    every combination of the values that occur is there."""

    axes: tuple[int, ...]
    places: tuple[Place, ...]
    grid: bool


def blocks(table: Table) -> list[Block]:
    """The places of a sweep by the axes that they are on."""
    groups: dict[tuple[bool, ...], list[Place]] = {}
    for place in table.places:
        groups.setdefault(tuple(i is not None for i in place), []).append(place)
    found = []
    for on, places in groups.items():
        counts = {k: len({place[k] for place in places}) for k in range(len(on)) if on[k]}
        combinations = 1
        for count in counts.values():
            combinations *= count
        found.append(Block(tuple(k for k, n in counts.items() if n > 1), tuple(places), combinations == len(places)))
    return found


@contextlib.contextmanager
def figure(width: float, height: float, path: Path) -> Iterator[Any]:
    """A matplotlib figure in the house style, saved as PNG at the end."""
    mpl, figures = need("matplotlib", "report"), need("matplotlib.figure", "report")
    with mpl.rc_context(STYLE):
        drawn = figures.Figure(figsize=(width, height), layout="constrained")
        yield drawn
        drawn.savefig(path)


def metric_label(name: str) -> str:
    """Title and unit of a metric, without what the title explains in brackets."""
    base, _, rest = name.partition("[")
    known = describe(base)
    if known is None:
        return name
    short = known.title.partition(" (")[0]
    title = f"{short} {rest[:-1]}" if rest else short
    return f"{title} ({known.unit})" if known.unit else title


def axis_label(axis: Axis) -> str:
    """Path and unit of an axis, the path from its last dots if it is long."""
    _, unit = axis.shown() if axis.numeric else ([], "")
    path = axis.path
    while len(path) > 40 and "." in path:
        path = path.partition(".")[2]
    return f"{path} ({unit})" if unit else path


def tick_texts(axis: Axis) -> list[str]:
    """The values of an axis without the unit that stands in its label."""
    return [f"{value:g}" for value in axis.shown()[0]] if axis.numeric else list(axis.values)


def place_label(table: Table, place: Place, but: Sequence[int] = ()) -> str:
    """The values of a place as written, without those of some axes."""
    written = {k: value for k, value in enumerate(place) if value is not None and k not in but}
    return ", ".join(f"{table.axes[k].path} = {table.axes[k].values[i]}" for k, i in written.items())


def file_name(text: str) -> str:
    """A text as part of a file's name."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text).strip("_")
