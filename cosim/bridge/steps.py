"""The wire that walks: phases of the legs, delayed, play a recorded step on the joints (``TrajectorySpec``)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike
from cosim.bridge.clock import Clock
from cosim.bridge.delay import DelayLine
from cosim.bridge.inputs import read_columns
from cosim.bridge.outgoing import Outgoing
from cosim.bridge.phase import TURN, Graded, Phases, Ring
from cosim.bridge.spline import periodic_spline
from cosim.bridge.wires import delays, port_channels, unit_dim
from cosim.graph.ir import NetworkIR, PopulationIR
from cosim.graph.lesion import select
from cosim.neural.backend import NeuralBackend
from cosim.spec.common import Located
from cosim.spec.experiment import WireSpec
from cosim.spec.trajectory import PhaseDecoder, TrajectorySpec
from cosim.spec.units import NONE, Scope, UnitError, dim_text, kind_text, suggest
from cosim.tape import Tape

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
ANGLE = unit_dim("rad")


class StepWire(Outgoing):
    """Phase and amplitude of every side, decoded, delayed, and played as a trajectory.

    Channels are ``SIDE.phase`` (radians) of all sides and then ``SIDE.amplitude``.
    """

    unit = "1"

    def __init__(
        self, name: str, spec: WireSpec, network: NetworkIR, backend: NeuralBackend, body: BodyLike, clock: Clock,
        scope: Scope, folder: Path,
    ) -> None:  # fmt: skip
        super().__init__(name)
        assert spec.decode is not None and spec.decode.phase is not None
        assert spec.source is not None and spec.trajectory is not None
        trajectory = spec.trajectory
        sides = list(trajectory.joints)
        n = len(sides)
        self.channels = (*(f"{side}.phase" for side in sides), *(f"{side}.amplitude" for side in sides))
        self._decoder = self._decoding(spec, spec.decode.phase, network, backend, sides, clock)
        self._soft_start = round(spec.soft_start / clock.tick) if spec.soft_start else 0
        self._tick = clock.tick
        names = [joint for side in sides for joint in trajectory.joints[side]]
        self._side_of = np.repeat(np.arange(n), [len(trajectory.joints[side]) for side in sides]).astype(np.int64)
        self._curve = _read(trajectory, folder, names)
        self._rest = np.ascontiguousarray(self._curve[0, 0])
        self._before = self._rest.copy()
        _, self._at, _ = _port(body, "position", names)
        self._position = body.commands["position"].reshape(-1)
        self._rate = body.commands["position_rate"].reshape(-1) if "position_rate" in body.actuators else None
        self._stance = _stance(trajectory, sides, body, scope)
        if self._stance is not None:
            self._adhesion = body.commands["adhesion"].reshape(-1)
        self.sent = np.zeros(2 * n)
        self.delivered = self.sent.copy()
        self._line = DelayLine(2 * delays(spec, n, clock), self.sent)
        self._position[self._at] = self._rest

    def _decoding(
        self, spec: WireSpec, phase: PhaseDecoder, network: NetworkIR, backend: NeuralBackend, sides: list[str],
        clock: Clock,
    ) -> Phases:  # fmt: skip
        assert spec.source is not None
        try:
            chosen = select(network, spec.source)
        except UnitError as error:
            raise Located([(("from",), str(error))]) from None
        if phase.ring is not None:
            assert phase.tau is not None and phase.full is not None
            self.population = phase.ring[0]
            first, channel_of, sizes = _members(phase.ring, chosen, network, sides)
            return Ring(first, channel_of, sizes, len(phase.ring), phase.tau, phase.full, clock.tick)
        assert phase.state is not None and phase.amplitude is not None
        if len(chosen) != 1:
            raise Located([(("from",), f"a graded phase is read from one population, not from {len(chosen)}")])
        ((self.population, ids),) = chosen.items()
        population = network.populations[self.population]
        members = _one_a_side(population, ids, sides)
        views = []
        for key, variable in (("state", phase.state), ("amplitude", phase.amplitude)):
            views.append(_watched(backend, network, population, variable, key))
        self._alive = np.ones(population.n)
        return Graded(views[0], views[1], members, self._alive)

    def memory(self) -> dict[str, F64]:
        found = {"sent": self.sent, "delivered": self.delivered, "before": self._before, **self._line.memory()}
        return found | {f"decoder/{key}": value for key, value in self._decoder.memory().items()}

    def push(self, tape: Tape) -> None:
        phase, amplitude = self._decoder.on(tape, self._open)
        if self._soft_start:
            amplitude = tape.ramp(amplitude, self._soft_start)
        n = len(amplitude)
        tape.compute("copy", phase, out=self.sent[:n])
        tape.compute("copy", amplitude, out=self.sent[n:])
        self._line.store(tape, self.sent)

    def apply(self, tape: Tape) -> None:
        self._line.take(tape, self.delivered)
        n = len(self.delivered) // 2
        cycle = tape.compute("div", self.delivered[:n], TURN)
        amplitude = self.delivered[n:]
        target = self._targets(tape, cycle, amplitude)
        tape.put(self._before, self._at, self._position)
        if self._rate is not None:
            moved = tape.compute("sub", target, self._before)
            tape.put(tape.compute("div", moved, self._tick), self._at, self._rate)
        tape.compute("copy", target, out=self._before)
        if self._stance is not None:
            begin, end, strength, places = self._stance
            within = tape.compute("and", tape.compute("ge", cycle, begin), tape.compute("lt", cycle, end))
            held = tape.compute("mul", tape.compute("mul", within, strength), amplitude)
            tape.put(held, places, self._adhesion)

    def _targets(self, tape: Tape, cycle: F64, amplitude: F64) -> F64:
        """Angles (joints,) at phases (sides,) in cycles."""
        knots = len(self._curve)
        along = tape.compute("mul", cycle, float(knots))
        row = tape.compute("floor", along)
        rows, part = tape.take(row, self._side_of), tape.take(tape.compute("sub", along, row), self._side_of)
        value = tape.pick(rows, np.ascontiguousarray(self._curve[:, 3]))
        for order in (2, 1, 0):
            value = tape.compute("mul", value, part)
            value = tape.compute("add", value, tape.pick(rows, np.ascontiguousarray(self._curve[:, order])))
        swing = tape.compute("mul", tape.compute("sub", value, self._rest), tape.take(amplitude, self._side_of))
        return tape.compute("add", swing, self._rest)


def _members(
    ring: list[str], chosen: dict[str, I64], network: NetworkIR, sides: list[str]
) -> tuple[int, I64, F64]:  # fmt: skip
    """The global id of the first neuron, the channels of all from there on (-1: none), and the channels' sizes."""
    problems: list[tuple[tuple[str | int, ...], str]] = []
    for k, name in enumerate(ring):
        here = ("decode", "phase", "ring", k)
        if name not in chosen:
            problems.append((here, f"'{name}' is not among what the wire reads{suggest(name, chosen)}"))
            continue
        population = network.populations[name]
        problems += [(here, f"population '{name}' has no side '{side}'{suggest(side, population.sides)}")
                     for side in sides if side not in population.sides]  # fmt: skip
        if network.models[population.model].threshold is None:
            problems.append((here, f"population '{name}' does not spike; use state and amplitude"))
    if problems:
        raise Located(problems)
    populations = [network.populations[name] for name in ring]
    first = min(p.first for p in populations)
    channel_of = np.full(max(p.last for p in populations) - first, -1, dtype=np.int64)
    for k, p in enumerate(populations):
        for s, side in enumerate(sides):
            ids = chosen[p.name]
            mine = ids[p.side[ids] == p.sides.index(side)]
            if not len(mine):
                raise Located([(("decode", "phase", "ring", k), f"no neuron of '{p.name}' on side '{side}' is read")])
            channel_of[p.first - first + mine] = k * len(sides) + s
    sizes = np.bincount(channel_of[channel_of >= 0], minlength=len(ring) * len(sides)).astype(np.float64)
    return first, channel_of, sizes


def _one_a_side(population: PopulationIR, ids: I64, sides: list[str]) -> I64:
    found = []
    for side in sides:
        mine = ids[population.side[ids] == population.sides.index(side)] if side in population.sides else ids[:0]
        if len(mine) != 1:
            message = f"population '{population.name}' has {len(mine)} neurons on side '{side}' here, expected one"
            raise Located([(("from",), message)])
        found.append(int(mine[0]))
    return np.array(found, dtype=np.int64)


def _watched(backend: NeuralBackend, network: NetworkIR, population: PopulationIR, variable: str, key: str) -> F64:
    from cosim.neural.equations import variable_units

    units, here = variable_units(network.models[population.model]), ("decode", "phase", key)
    if variable not in units:
        message = f"population '{population.name}' has no variable '{variable}'{suggest(variable, units)}"
        raise Located([(here, message)])
    if units[variable] != NONE:
        raise Located([(here, f"'{variable}' is {dim_text(units[variable])}, expected a number without a unit")])
    return backend.watch(population.name, variable)


def _port(body: BodyLike, name: str, labels: list[str]) -> tuple[str, I64, tuple[str, ...]]:
    try:
        port, index, channels = port_channels(body.actuators, {name: labels}, "write")
    except Located as error:
        raise Located([(("trajectory",), message) for _, message in error.problems]) from None
    return port.name, np.asarray(index, dtype=np.int64), channels


def _stance(
    spec: TrajectorySpec, sides: list[str], body: BodyLike, scope: Scope
) -> tuple[F64, F64, float, I64] | None:  # fmt: skip
    """Begin and end (sides,) of the stance in cycles, adhesion in it, places in the body's commands; None without."""
    if spec.adhesion is None:
        return None
    try:
        strength = spec.adhesion.evaluate(scope)
    except UnitError as error:
        raise Located([(("trajectory", "adhesion"), str(error))]) from None
    if strength.dim != NONE or not 0 <= float(strength.value) <= 1:
        raise Located([(("trajectory", "adhesion"), f"expected a number from 0 to 1, got {kind_text(strength.dim)}")])
    _, places, _ = _port(body, "adhesion", sides)
    never = (2.0, 2.0)
    begin, end = (np.array([spec.stance.get(side, never)[k] for side in sides]) for k in (0, 1))
    return begin, end, float(strength.value), places


def _read(spec: TrajectorySpec, folder: Path, joints: list[str]) -> F64:
    """Coefficients of the spline, (knots, 4, joints)."""
    here: tuple[str | int, ...] = ("trajectory", "file")
    names, dims, data = read_columns(folder / spec.file)
    n = len(data)
    if names[0] != "phase" or dims[0] != NONE or n < 3 or np.abs(data[:, 0] - np.arange(n) / n).max() > 1e-6:
        text = f"the first column of {spec.file} must be 'phase [1]', with three rows or more at 0, 1/n, ... (n - 1)/n"
        raise Located([(here, text)])
    problems: list[tuple[tuple[str | int, ...], str]] = []
    for side, some in spec.joints.items():
        for i, joint in enumerate(some):
            place = ("trajectory", "joints", side, i)
            if joint not in names[1:]:
                problems.append((place, f"no column '{joint}' in {spec.file}{suggest(joint, names[1:])}"))
            elif dims[names.index(joint)] != ANGLE:
                problems.append((here, f"column '{joint}' of {spec.file}: expected {dim_text(ANGLE)}"))
    if problems:
        raise Located(problems)
    return periodic_spline(data[:, [names.index(joint) for joint in joints]])
