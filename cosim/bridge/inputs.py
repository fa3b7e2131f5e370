"""What flows into the network each tick: constant and changing drives, and the wires' currents and rates, added up."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.clock import Clock
from cosim.graph.connect import neuron_scope
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import select
from cosim.neural.backend import NeuralBackend
from cosim.spec.common import Located
from cosim.spec.experiment import DriveSpec, TimeFileSpec
from cosim.spec.units import Dim, Scope, UnitError, dim_text, parse, suggest
from cosim.spec.units import array as evaluate_array
from cosim.tape import Tape

F64 = NDArray[np.float64]
#: writes on a tape what some neurons get in a tick, shape (n,)
Source = Callable[[Tape], F64]


class Slot:
    """One variable of one population: what is constant, and who adds to it in each tick."""

    def __init__(self, view: NDArray[Any]) -> None:
        self.view = view
        self.base = view.astype(np.float64)
        self.sources: list[tuple[NDArray[np.int64] | None, Source]] = []

    def add(self, ids: NDArray[np.int64], source: Source) -> None:
        """Let `source` add to the neurons `ids` in every tick."""
        everyone = len(ids) == len(self.view)
        self.sources.append((None if everyone else np.array(ids, dtype=np.int64), source))

    def on(self, tape: Tape) -> None:
        """Write a tick's sum into the network."""
        with tape.written(self.view) as view:
            total = self.base
            for ids, source in self.sources:
                values = source(tape)
                if ids is None:
                    total = tape.compute("add", total, values, out=view)
                    continue
                if total is self.base:
                    total = tape.compute("copy", self.base, out=view)
                tape.add_at(values, ids, view)


class Inputs:
    """All slots of a network. Constant drives are in place from the start; `on` does the rest, once a tick."""

    def __init__(self, network: NetworkIR, backend: NeuralBackend) -> None:
        self._network = network
        self._backend = backend
        self._slots: dict[tuple[str, str], Slot] = {}
        self._changing: list[Slot] = []

    def dimension(self, population: str, variable: str) -> Dim:
        """The dimension of a variable, from the model's equations. Raises UnitError if there is no such input
        variable."""
        from cosim.neural.equations import parameter_units

        model = self._network.models[self._network.populations[population].model]
        units = parameter_units(model)
        if variable not in units:
            raise UnitError(
                f"the model of population '{population}' declares no input variable '{variable}' (a line such as "
                f"'{variable} : amp'){suggest(variable, units)}"
            )
        return units[variable]

    def slot(self, population: str, variable: str) -> Slot:
        """The slot of a variable. Raises UnitError if the model does not declare it."""
        self.dimension(population, variable)
        key = (population, variable)
        if key not in self._slots:
            self._slots[key] = Slot(self._backend.view(population, variable))
        return self._slots[key]

    def add(self, population: str, variable: str, ids: NDArray[np.int64], source: Source) -> None:
        """Let `source` add to the variable of the neurons `ids` in every tick."""
        slot = self.slot(population, variable)
        if not slot.sources:
            self._changing.append(slot)
        slot.add(ids, source)

    def add_drive(self, drive: DriveSpec, clock: Clock, parameters: Scope, folder: Path) -> None:
        """Add a drive. Raises Located with paths relative to the drive."""
        try:
            chosen = select(self._network, drive.to)
        except UnitError as error:
            raise Located([(("to",), str(error))]) from None
        for population, ids in chosen.items():
            try:
                dim = self.dimension(population, drive.variable)
            except UnitError as error:
                raise Located([(("variable",), str(error))]) from None
            scope = {**parameters, **neuron_scope(self._network.populations[population], ids)}
            self._add_to(drive, population, ids, dim, scope, clock, folder)

    def _add_to(
        self,
        drive: DriveSpec,
        population: str,
        ids: NDArray[np.int64],
        dim: Dim,
        scope: Scope,
        clock: Clock,
        folder: Path,
    ) -> None:
        def values(expression: object, *path: str) -> F64:
            try:
                return evaluate_array(expression, scope, len(ids), dim)
            except UnitError as error:
                raise Located([(path, str(error))]) from None

        def changing(function: Callable[[int], F64 | float]) -> None:
            self.add(population, drive.variable, ids, lambda tape: tape.fill(function, len(ids)))

        if drive.constant is not None:
            slot = self.slot(population, drive.variable)
            slot.base[ids] += values(drive.constant, "constant")
            slot.view[:] = slot.base
        elif drive.ramp is not None:
            begin, end = values(drive.ramp.begin, "ramp", "from"), values(drive.ramp.to, "ramp", "to")
            start, length, tick = drive.ramp.start, drive.ramp.stop - drive.ramp.start, clock.tick
            changing(lambda k: begin + (end - begin) * min(max((k * tick - start) / length, 0.0), 1.0))
        elif drive.pulse is not None:
            height = values(drive.pulse.value, "pulse", "value")
            try:
                on = clock.ticks(drive.pulse.at, "the pulse's start")
                width = clock.ticks(drive.pulse.length, "the pulse's length")
                every = clock.ticks(drive.pulse.every, "the pulse's period") if drive.pulse.every else 0
            except UnitError as error:
                raise Located([(("pulse",), str(error))]) from None
            changing(lambda k: height if _within(k - on, width, every) else 0.0)
        else:
            assert drive.file is not None
            curve = TimeCurve.read(drive.file, folder)
            if curve.dim != dim:
                message = f"column '{curve.name}' is {dim_text(curve.dim)}, expected {dim_text(dim)}"
                raise Located([(("file",), message)])
            factor = evaluate_array(drive.file.scale, scope, len(ids), (0.0,) * 7) if drive.file.scale else 1.0
            tick = clock.tick
            changing(lambda k: factor * curve(k * tick))

    def on(self, tape: Tape) -> None:
        """Write the inputs of a tick into the network."""
        for slot in self._changing:
            slot.on(tape)


def _within(since: int, width: int, every: int) -> bool:
    return since >= 0 and (since % every if every else since) < width


_COLUMN = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?:\[([^\]]*)\])?\s*\Z")


def read_columns(path: Path) -> tuple[list[str], list[Dim], F64]:
    """A CSV file with a header ``time [s],name [unit],...`` and # comments: names, dimensions, SI values (rows,
    columns).

    Raises UserError with file and line.
    """
    from cosim.errors import Problem, UserError

    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise UserError(Problem(str(path), 0, 0, "", "no such file")) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(Problem(str(path), 0, 0, "", f"cannot be read: {error}")) from None
    lines = [(i, line) for i, line in enumerate(text.splitlines(), 1) if line.strip() and not line.startswith("#")]
    if len(lines) < 2:
        raise UserError(Problem(str(path), 1, 1, "", "expected a header and at least one row"))
    names, dims, factors = [], [], []
    for column, cell in enumerate(next(csv.reader([lines[0][1]])), 1):
        match = _COLUMN.match(cell)
        try:
            if match is None:
                raise UnitError(f"'{cell}' is not a column name like 'time [s]'")
            unit = parse(match[2] or "1").evaluate()
        except UnitError as error:
            raise UserError(Problem(str(path), lines[0][0], column, "", str(error))) from None
        names.append(match[1])
        dims.append(unit.dim)
        factors.append(float(unit.value))
    rows, problems = [], []
    for number, line in lines[1:]:
        cells = next(csv.reader([line]))
        if len(cells) != len(names):
            problems.append(Problem(str(path), number, 1, "", f"expected {len(names)} values, got {len(cells)}"))
            continue
        try:
            rows.append([float(c) * f for c, f in zip(cells, factors, strict=True)])
        except ValueError:
            problems.append(Problem(str(path), number, 1, "", f"'{line.strip()}' is not a row of numbers"))
    if problems:
        raise UserError(problems)
    return names, dims, np.array(rows)


class TimeCurve:
    """A measured curve, linear between its rows, constant outside them or repeated."""

    def __init__(self, name: str, dim: Dim, times: F64, values: F64, periodic: bool) -> None:
        self.name, self.dim = name, dim
        self._times, self._values = times, values
        self._period = float(times[-1] - times[0]) if periodic else 0.0

    @classmethod
    def read(cls, spec: TimeFileSpec, folder: Path) -> TimeCurve:
        """Read one column. Raises Located or UserError."""
        names, dims, data = read_columns(folder / spec.path)
        if names[0] != "time" or dims[0] != (0, 0, 1, 0, 0, 0, 0):
            raise Located(
                [(("file",), f"the first column of {spec.path} must be 'time [s]' (or another unit of time)")]
            )
        column = spec.column or (names[1] if len(names) == 2 else "")
        if column not in names[1:]:
            raise Located([(("file", "column"), f"no column '{column}' in {spec.path}{suggest(column, names[1:])}")])
        if (np.diff(data[:, 0]) <= 0).any():
            raise Located([(("file",), f"the times in {spec.path} do not rise")])
        index = names.index(column)
        return cls(column, dims[index], data[:, 0], data[:, index], spec.periodic)

    def __call__(self, t: float) -> float:
        """The value at t seconds."""
        if self._period:
            t = self._times[0] + (t - self._times[0]) % self._period
        return float(np.interp(t, self._times, self._values))
