"""Commands to the body from a file instead of a network: joint angles to replay, torques to play."""

from __future__ import annotations

import csv
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike
from cosim.bridge.clock import Clock
from cosim.bridge.inputs import read_columns
from cosim.bridge.wires import port_channels, unit_dim
from cosim.errors import Problem, UserError
from cosim.spec.common import Located
from cosim.spec.experiment import CommandSpec, FourierSpec
from cosim.spec.units import NONE, Dim, Expression, Scope, UnitError, dim_text, kind_text, suggest

F64 = NDArray[np.float64]
TIME: Dim = (0, 0, 1, 0, 0, 0, 0)


class Commands(ABC):
    """What is written to a body's actuators in every tick, without a network."""

    @abstractmethod
    def apply(self, tick: int) -> None:
        """Write the commands of a tick."""


class CurveCommands(Commands):
    """A curve per channel, written to an actuator in every tick. Raises Located for what does not fit."""

    def __init__(self, spec: CommandSpec, body: BodyLike, clock: Clock, folder: Path, scope: Scope) -> None:
        port, self._index, channels = port_channels(body.actuators, spec.write, "write")
        self._command = body.commands[port.name].reshape(-1)
        dim = unit_dim(port.unit)
        if spec.fourier is not None:
            self._curve = _fourier(spec.fourier, folder, channels, dim, scope)
        else:
            assert spec.file is not None
            self._curve = _table(spec.file, folder, channels, dim, spec.periodic)
        self._scale = _number(spec.scale, NONE, scope, "scale") if spec.scale is not None else 1.0
        self._tick = clock.tick

    def apply(self, tick: int) -> None:
        """Write the commands for the end of the tick: where the body is to be at (tick + 1)."""
        self._command[self._index] = self._scale * self._curve((tick + 1) * self._tick)


def _number(expression: Expression, dim: Dim, scope: Scope, key: str) -> float:
    try:
        value = expression.evaluate(scope)
    except UnitError as error:
        raise Located([((key,), str(error))]) from None
    if value.dim != dim:
        raise Located([((key,), f"expected {dim_text(dim)}, got {kind_text(value.dim)}")])
    return float(value.value)


def _table(file: str, folder: Path, channels: tuple[str, ...], wanted: Dim, periodic: bool) -> Callable[[float], F64]:
    """Columns of a CSV file, linear between rows."""
    names, dims, data = read_columns(folder / file)
    if names[0] != "time" or dims[0] != TIME:
        raise Located([(("file",), f"the first column of {file} must be 'time [s]' (or another unit of time)")])
    problems: list[tuple[tuple[str | int, ...], str]] = []
    for channel in channels:
        if channel not in names[1:]:
            problems.append((("file",), f"no column '{channel}' in {file}{suggest(channel, names[1:])}"))
        elif dims[names.index(channel)] != wanted:
            problems.append((("file",), f"column '{channel}' of {file}: expected {dim_text(wanted)}"))
    if len(data) < 2 or (np.diff(data[:, 0]) <= 0).any():
        problems.append((("file",), f"{file} needs at least two rows, and times that rise"))
    if problems:
        raise Located(problems)
    times, values = data[:, 0], data[:, [names.index(c) for c in channels]]
    period = float(times[-1] - times[0]) if periodic else 0.0

    def curve(t: float) -> F64:
        if period:
            t = times[0] + (t - times[0]) % period
        right = int(np.clip(np.searchsorted(times, t, "right"), 1, len(times) - 1))
        f = min(max((t - times[right - 1]) / (times[right] - times[right - 1]), 0.0), 1.0)
        return np.asarray(values[right - 1] * (1.0 - f) + values[right] * f)

    return curve


def _fourier(
    spec: FourierSpec, folder: Path, channels: tuple[str, ...], wanted: Dim, scope: Scope
) -> Callable[[float], F64]:
    """Fourier coefficients by channel."""
    unit = _number(spec.unit, wanted, scope, "fourier")
    header, rows = _read_coefficients(folder / spec.file)
    problems: list[tuple[tuple[str | int, ...], str]] = [
        (("fourier", "file"), f"no row '{channel}' in {spec.file}{suggest(channel, rows)}")
        for channel in channels
        if channel not in rows
    ]
    if problems:
        raise Located(problems)
    table = np.array([rows[channel] for channel in channels]) * unit
    harmonics = (len(header) - 2) // 2
    omega = 2.0 * math.pi * spec.frequency * np.arange(1, harmonics + 1)
    mean, cosines, sines = table[:, 0], table[:, 1::2], table[:, 2::2]
    return lambda t: mean + (cosines * np.cos(omega * t) + sines * np.sin(omega * t)).sum(axis=1)


def _read_coefficients(path: Path) -> tuple[list[str], dict[str, list[float]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(Problem(str(path), 0, 0, "", "no such file, or not a text file")) from None
    numbered = [(i, line) for i, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    rows: dict[str, list[float]] = {}
    problems: list[Problem] = []
    header = next(csv.reader([numbered[0][1]])) if numbered else []
    expected = ["mean", *(f"{part}_{k}" for k in range(1, (len(header) - 2) // 2 + 1) for part in ("cos", "sin"))]
    if header[1:] != expected or len(header) < 4:
        at = numbered[0][0] if numbered else 1
        problems.append(
            Problem(str(path), at, 1, "", "expected the columns name, mean, cos_1, sin_1, cos_2, sin_2, ...")
        )
    for number, line in numbered[1:]:
        cells = next(csv.reader([line]))
        try:
            if len(cells) != len(header):
                raise ValueError
            rows[cells[0].strip()] = [float(c) for c in cells[1:]]
        except ValueError:
            problems.append(Problem(str(path), number, 1, "", f"expected a name and {len(header) - 1} numbers"))
    if problems:
        raise UserError(problems)
    return header, rows
