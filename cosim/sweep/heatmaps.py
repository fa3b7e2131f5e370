"""Heat maps over two axes: a panel an arm, and below it what the arm differs by from the intact one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.tables import number
from cosim.record.extras import need
from cosim.sweep.drawing import DIFFERENCES, MEANS, WIDTH, Picture, axis_label, figure, place_label, tick_texts
from cosim.sweep.statistics import Cell, Comparison
from cosim.sweep.table import Place, Table

#: panels side by side, and cells a side up to which their values are printed
COLUMNS, PRINTED = 4, 11


@dataclass(frozen=True)
class Field:
    """What a panel shows: a number for a place, NaN for none, and a mark for a place without number."""

    title: str
    values: Mapping[Place, float]
    marks: Mapping[Place, str]


#: fields that share a scale (None: an empty place), and whether it is one of differences
Rows = tuple[Sequence[Field | None], bool]


def mean_fields(arms: Sequence[str], cells: Sequence[Cell], rate: bool) -> list[Field]:
    """A field an arm, of the cells of one metric: means, or rates of survival."""
    found = []
    for arm in arms:
        mine = [cell for cell in cells if cell.arm == arm]
        values = {cell.place: cell.rate if rate else cell.mean for cell in mine}
        found.append(Field(arm, values, {cell.place: "" if cell.finished else "·" for cell in mine}))
    return [field for field in found if field.values]


def difference_fields(arms: Sequence[str], comparisons: Sequence[Comparison]) -> list[Field | None]:
    """A field an arm, of the comparisons of one metric with the intact arm, None for arms that have none; * where p
    (Holm) is below 0.05."""
    found: list[Field | None] = []
    for arm in arms:
        mine = [one for one in comparisons if one.contrast.arm == arm]
        values = {one.place: one.difference for one in mine}
        marks = {one.place: "*" if one.holm < 0.05 else "" for one in mine}
        found.append(Field(f"{arm} − {mine[0].contrast.against}", values, marks) if mine else None)
    return found


def heatmap(
    table: Table, pair: tuple[int, int], places: Sequence[Place], rows: Sequence[Rows], title: str,
    limits: tuple[float, float] | None, path: Path,
) -> Picture:  # fmt: skip
    """Draw fields over the axes ``pair`` (x, y) into the PNG ``path``.

    ``places`` are those to show, ``limits`` the ends of the first scale (by default those of its values).
    """
    columns = min(COLUMNS, max(len(fields) for fields, _ in rows))
    # a line is filled up, so that the panels of all lines stand below each other
    lines = [([*fields[i : i + columns], *[None] * (i + columns - len(fields))], group)
             for group, (fields, _) in enumerate(rows) for i in range(0, len(fields), columns)]  # fmt: skip
    x, y = (sorted({i for place in places if (i := place[k]) is not None}) for k in pair)
    width = WIDTH if columns > 1 else 0.55 * WIDTH
    height = 0.5 + len(lines) * (0.6 + min(0.9 * width / columns, max(1.2, 0.42 * len(y))))
    scales = [_scale([field.values.get(place, math.nan) for field in fields if field for place in places], signed)
              for fields, signed in rows]  # fmt: skip
    if limits is not None:
        scales[0] = limits
    with figure(width, height, path) as drawn:
        panels: dict[int, list[Any]] = {}
        images: dict[int, Any] = {}
        for line, (fields, group) in enumerate(lines):
            below = lines[line + 1][0] if line + 1 < len(lines) else [None] * columns
            for column, field in enumerate(fields):
                axes = drawn.add_subplot(len(lines), columns, line * columns + column + 1)
                panels.setdefault(group, []).append(axes)
                if field is None:
                    axes.axis("off")
                    continue
                images[group] = _panel(axes, field, places, pair, (x, y), scales[group], rows[group][1])
                axes.set_title(field.title, loc="left")
                left = column == 0 or fields[column - 1] is None
                _ticks(axes, table, pair, (x, y), left, below[column] is None)
        for group, axes in panels.items():
            label = "difference" if rows[group][1] else ""
            drawn.colorbar(images[group], ax=axes, fraction=0.04, pad=0.01, label=label)
        fixed = place_label(table, places[0], pair)
        drawn.suptitle(f"{title}{', ' if fixed else ''}{fixed}", x=0.01, ha="left", fontweight="bold", fontsize=10)
    return Picture(path, f"{title} over {table.axes[pair[0]].path} and {table.axes[pair[1]].path}")


def _scale(numbers: Sequence[float], signed: bool) -> tuple[float, float]:
    values = [value for value in numbers if math.isfinite(value)]
    if not values:
        return (-1.0, 1.0) if signed else (0.0, 1.0)
    low, high = min(values), max(values)
    if signed:
        high = max(abs(low), abs(high)) or 1.0
        return -high, high
    # a field that is the same everywhere has one colour, in the middle
    margin = 0.5 * max(abs(low), 1e-12) if high - low <= 1e-9 * max(abs(low), abs(high)) else 0.0
    return low - margin, high + margin


def _panel(
    axes: Any, field: Field, places: Sequence[Place], pair: tuple[int, int], numbers: tuple[list[int], list[int]],
    scale: tuple[float, float], signed: bool,
) -> Any:  # fmt: skip
    x, y = numbers
    values: NDArray[np.float64] = np.full((len(y), len(x)), np.nan)
    for place in places:
        i, j = place[pair[0]], place[pair[1]]
        if place in field.values and i is not None and j is not None:
            values[y.index(j), x.index(i)] = field.values[place]
    texts = [["" for _ in x] for _ in y]
    printed = max(len(x), len(y)) <= PRINTED
    for place in places:
        i, j = place[pair[0]], place[pair[1]]
        if place in field.values and i is not None and j is not None:
            value, mark = field.values[place], field.marks[place]
            exists = math.isfinite(value)
            texts[y.index(j)][x.index(i)] = (number(value) * printed + mark) if exists else mark or "×"
    return _paint(axes, values, texts, scale, signed)


def _paint(
    axes: Any, values: NDArray[np.float64], texts: Sequence[Sequence[str]], scale: tuple[float, float], signed: bool
) -> Any:
    """An image of (rows, columns), the first row at the bottom, with texts on it; grey where there is no value."""
    colours = need("matplotlib", "report").colormaps[DIFFERENCES if signed else MEANS].with_extremes(bad="0.85")
    image = axes.imshow(
        values, origin="lower", aspect="auto", cmap=colours, vmin=scale[0], vmax=scale[1], interpolation="nearest"
    )
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.tick_params(length=0)
    for j, i in np.ndindex(*values.shape):
        ink = _ink(image.cmap(image.norm(values[j, i]))) if np.isfinite(values[j, i]) else "0.3"
        axes.text(i, j, texts[j][i], ha="center", va="center", fontsize=7, color=ink)
    return image


def _ink(colour: Sequence[float]) -> str:
    """Black or white, whichever can be read on a colour."""
    red, green, blue = colour[:3]
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _ticks(
    axes: Any, table: Table, pair: tuple[int, int], numbers: tuple[list[int], list[int]], left: bool, bottom: bool
) -> None:
    """Labels of both axes, where nothing stands to the left and below."""
    for axis, chosen, labelled, ticks, label in (
        (table.axes[pair[0]], numbers[0], bottom, axes.set_xticks, axes.set_xlabel),
        (table.axes[pair[1]], numbers[1], left, axes.set_yticks, axes.set_ylabel),
    ):
        texts = tick_texts(axis)
        step = -(-len(chosen) // 12)
        ticks(range(0, len(chosen), step), [texts[i] if labelled else "" for i in chosen[::step]])
        label(axis_label(axis) if labelled else "")


def matrix(table: Table, k: int, cells: Sequence[Cell], title: str, path: Path) -> Picture:
    """Many arms over one axis: means of one metric, an arm a row."""
    shown = [arm for arm in table.arms if any(cell.arm == arm for cell in cells)]
    numbers = sorted({i for cell in cells if (i := cell.place[k]) is not None})
    values = np.full((len(shown), len(numbers)), np.nan)
    for cell in cells:
        i = cell.place[k]
        if i is not None:
            values[shown.index(cell.arm), numbers.index(i)] = cell.mean
    axis = table.axes[k]
    ticks = tick_texts(axis)
    texts = [[number(value) if math.isfinite(value) else "×" for value in row] for row in values]
    with figure(0.7 * WIDTH, 1.2 + 0.24 * len(shown), path) as drawn:
        axes = drawn.add_subplot()
        image = _paint(axes, values[::-1], texts[::-1], _scale(values.ravel().tolist(), False), False)
        axes.set_yticks(range(len(shown)), shown[::-1])
        axes.set_xticks(range(len(numbers)), [ticks[i] for i in numbers])
        axes.set_xlabel(axis_label(axis))
        drawn.colorbar(image, ax=axes, fraction=0.04, pad=0.01)
        axes.set_title(title, loc="left")
    return Picture(path, f"{title} of every arm over {axis.path}")
