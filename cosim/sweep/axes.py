"""What is varied: the values of each axis as text, and how axes are combined to points.

A value is the text that stands in the document, or that is made here: what a table shows is what was run, to the digit.
Values that are made have twelve significant digits and the unit of the bounds as written, where both have the same.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.random import stream, uniforms
from cosim.graph.shuffle import permutation
from cosim.graph.values import dimension, quantiles
from cosim.spec.circuit import Draw
from cosim.spec.common import Located
from cosim.spec.overrides import split
from cosim.spec.sweep import AxisSpec, DesignSpec, SpacedSpec, SweepSpec, Vary
from cosim.spec.units import (
    NONE,
    Dim,
    Expression,
    Scope,
    UnitError,
    Value,
    as_expression,
    evaluate,
    unit_text,
)
from cosim.spec.yamlmarks import Node

F64 = NDArray[np.float64]
#: axis number -> number of its value; axes that are left as the experiment has them are missing
Point = dict[int, int]
_QUANTITY = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\s*([A-Za-z][A-Za-z0-9*/^]*)?\Z")


@dataclass
class Axis:
    """A path and its values, over all designs of the sweep: as nodes of the document by text, and in SI units.

    `si` and `unit` are None where the values are no numbers of one dimension.
    """

    path: str
    values: dict[str, Node] = field(default_factory=dict)
    si: list[float] | None = None
    unit: str | None = None

    @property
    def texts(self) -> list[str]:
        """The values as text."""
        return list(self.values)


def text_of(value: Any) -> str:
    """A value of a document as a text on one line."""
    if isinstance(value, bool | dict | list) or value is None:
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def size(spec: SweepSpec) -> int:
    """The number of points of all designs, without making them. Raises Located for axes that cannot be combined."""
    return sum(_size(block, spec.design, here) for here, block in _blocks(spec))


def _blocks(spec: SweepSpec) -> Iterator[tuple[tuple[str | int, ...], Vary]]:
    for k, block in enumerate(spec.blocks):
        yield ("vary", k) if isinstance(spec.vary, list) else ("vary",), block


def _size(block: Vary, design: str | DesignSpec, here: tuple[str | int, ...]) -> int:
    if isinstance(design, DesignSpec):
        if not block:
            raise Located([(("design",), "there is nothing to vary at random: give axes under vary")])
        return design.random or design.latin_hypercube or 0
    counts = {}
    for path, values in block.items():
        count = _count(values)
        if count is None:
            raise Located([((*here, path), "a random axis of a grid needs its number of values: n")])
        counts[path] = count
    if design == "zip" and len(set(counts.values())) > 1:
        listed = ", ".join(f"{path} {count}" for path, count in counts.items())
        raise Located([(("design",), f"zip needs axes of equal length, got {listed}")])
    return next(iter(counts.values()), 1) if design == "zip" else math.prod(counts.values())


def _count(values: list[Any] | AxisSpec) -> int | None:
    if isinstance(values, list):
        return len(values)
    spaced = values.linspace or values.logspace
    return spaced[2] if spaced is not None else values.n


def expand(spec: SweepSpec, root: Node, scope: Scope) -> tuple[list[Axis], list[Point]]:
    """Axes and points of a sweep, in the order of the document; of a grid, the last axis changes fastest.

    `root` is the document's tree, `scope` what its expressions may use. Raises Located (paths in the document).
    """
    axes: dict[str, Axis] = {}
    numbers: dict[str, dict[str, int]] = {}
    points: list[Point] = []
    for here, block in _blocks(spec):
        n = _size(block, spec.design, here)
        columns: dict[int, list[int]] = {}
        for path, values in block.items():
            node = root.at((*here, path))
            assert node is not None  # it was validated
            try:
                column = [(text_of(one.plain()), one) for one in _column(path, values, node, spec, n, scope)]
            except UnitError as error:
                raise Located([((*here, path), str(error))]) from None
            _units(path, [one for _, one in column], (*here, path), isinstance(values, list), scope)
            axis, known = axes.setdefault(path, Axis(path)), numbers.setdefault(path, {})
            for text, one in column:
                axis.values.setdefault(text, one)
                known.setdefault(text, len(known))
            own = [known[text] for text, _ in column]
            if spec.design == "grid" and len(set(own)) < len(own):
                twice = next(text for i, (text, _) in enumerate(column) if own[i] in own[:i])
                raise Located([((*here, path), f"the value {twice} is given twice")])
            columns[list(axes).index(path)] = own
        rows = product(*columns.values()) if spec.design == "grid" else zip(*columns.values(), strict=True)
        points += [dict(zip(columns, row, strict=True)) for row in rows]
    for axis in axes.values():
        _measure(axis, scope)
    return list(axes.values()), points or [{}]


def _column(
    path: str, values: list[Any] | AxisSpec, node: Node, spec: SweepSpec, n: int, scope: Scope
) -> list[Node]:  # fmt: skip
    """The values of an axis: its levels for a grid or zip, one a point for a random design."""
    if isinstance(values, AxisSpec) and values.random is not None:
        count = n if isinstance(spec.design, DesignSpec) else values.n
        assert count is not None
        return [_made(text, node) for text in _drawn(values.random, _numbers(path, spec, count), scope)]
    if isinstance(values, list):
        levels = [replace(one, key_line=node.key_line, key_column=node.key_column) for one in node.value]
    else:
        levels = [_made(text, node) for text in spaced(values, scope)]
    if not isinstance(spec.design, DesignSpec):
        return levels
    return [levels[int(u * len(levels))] for u in _numbers(path, spec, n)]


def _made(text: str, node: Node) -> Node:
    return Node(text, node.file, node.line, node.column, node.key_line, node.key_column)


def _numbers(path: str, spec: SweepSpec, n: int) -> F64:
    """n numbers in (0, 1) for an axis, by the sweep's seed and the axis' path; of a Latin hypercube, one in every nth
    part."""
    key = stream(spec.seed, f"sweep/{path}")
    u = uniforms(key, np.arange(n))
    if isinstance(spec.design, DesignSpec) and spec.design.latin_hypercube is not None:
        u = (permutation(key, 0, n) + u) / n
    return u


def spaced(values: AxisSpec | SpacedSpec, scope: Scope) -> list[str]:
    """The values of linspace or logspace as text. Raises UnitError."""
    logarithmic = isinstance(values, AxisSpec) and values.linspace is None
    found = values.logspace if isinstance(values, AxisSpec) and logarithmic else values.linspace
    assert found is not None
    begin, end, n = found
    low, high, unit, factor = _bounds(begin, end, scope)
    if logarithmic and not low * high > 0:
        raise UnitError("logspace needs two values of the same sign, neither of them 0")
    at = np.arange(n) / max(n - 1, 1)
    numbers = low * (high / low) ** at if logarithmic else low + (high - low) * at
    if n > 1:
        numbers[-1] = high
    return [_text(float(number) / factor, unit) for number in numbers]


def _bounds(begin: Expression, end: Expression, scope: Scope) -> tuple[float, float, str, float]:
    """Two bounds in SI units, and the unit in which values between them are written, with its size."""
    pair = [one.evaluate(scope) for one in (begin, end)]
    dims = {value.dim for value in pair if any(value.dim) or value.value != 0}
    if len(dims) > 1:
        raise UnitError(f"'{begin.text}' and '{end.text}' have different units")
    dim = dims.pop() if dims else NONE
    unit, factor = _unit([one for one, value in zip((begin, end), pair, strict=True) if value.dim == dim], dim)
    low, high = (float(value.value) for value in pair)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise UnitError(f"'{begin.text}' and '{end.text}' must be finite")
    return low, high, unit, factor


def _unit(written: list[Expression], dim: Dim) -> tuple[str, float]:
    """The unit that all of these are written in, else the SI unit; with its size."""
    matches = [_QUANTITY.match(one.text.strip()) for one in written]
    units = {match[1] for match in matches if match}
    if matches and all(matches) and len(units) == 1:
        unit = units.pop()
        return (unit, evaluate(f"1 {unit}", dim)) if unit else ("", 1.0)
    return ("", 1.0) if dim == NONE else (unit_text(dim), 1.0)


def _text(number: float, unit: str) -> str:
    return f"{number:.12g} {unit}".strip()


def _drawn(draw: Draw, u: F64, scope: Scope) -> list[str]:
    dim = dimension(draw, scope)
    parts = draw.normal or draw.uniform or draw.lognormal or (draw.exponential,)
    unit, factor = _unit([part for part in parts if part is not None and part.evaluate(scope).dim == dim], dim)
    return [_text(float(number) / factor, unit) for number in quantiles(draw, scope, u, dim)]


def _units(path: str, column: list[Node], here: tuple[str | int, ...], listed: bool, scope: Scope) -> None:
    """Raise Located where the values of a document's parameter have not its dimension: where it is used, nothing tells
    that they came from here."""
    *above, name = split(path)
    own = scope.get(str(name)) if len(above) <= 2 and above[-1:] in ([], ["parameters"]) else None
    if own is None or np.ndim(own.value):
        return
    for i, node in enumerate(column):
        try:
            evaluate(node.plain(), own.dim, scope)
        except UnitError as error:
            raise Located([((*here, i) if listed else here, str(error))]) from None


def _measure(axis: Axis, scope: Scope) -> None:
    """The values of an axis in SI units, where they are numbers of one dimension."""
    found: list[Value] = []
    for node in axis.values.values():
        try:
            found.append(as_expression(node.plain()).evaluate(scope))
        except UnitError:
            return
    dims = {value.dim for value in found if any(value.dim) or value.value != 0}
    if len(dims) > 1 or not all(np.ndim(value.value) == 0 and math.isfinite(value.value) for value in found):
        return
    axis.si = [float(value.value) for value in found]
    axis.unit = unit_text(dims.pop() if dims else NONE)
