"""Decoders of a phase and an amplitude for each of several sides, on a tape (``PhaseDecoder`` documents them)."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.decode import ExponentialFilter, counted
from cosim.exact import cos, sin
from cosim.tape import Tape

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
TURN = 2.0 * np.pi


class Phases(Protocol):
    """Gives phases (radians, within [0, 2 pi)) and amplitudes (0 to 1), each of shape (sides,)."""

    def memory(self) -> dict[str, F64]:
        """What it holds from tick to tick: the arrays themselves."""
        ...

    def on(self, tape: Tape, switch: F64) -> tuple[F64, F64]:
        """Decode on a tape; where switch[0] is 0, as if the neurons were silent."""
        ...


class Ring:
    """Spikes of m populations as the direction in which they point.

    `channel_of`: for the neurons with the global ids `first`, `first` + 1, ... the number `k sides + side` of
    population k of the ring, -1 for none; `sizes`: (m sides,) neurons in each. `tau` and `tick` in s, `full` in Hz.
    """

    def __init__(self, first: int, channel_of: I64, sizes: F64, m: int, tau: float, full: float, tick: float) -> None:
        self._first, self._channel_of = first, channel_of
        self._m, self._sides, self._full = m, len(sizes) // m, full
        self._rates = ExponentialFilter(tau, tick, sizes, np.ones(len(sizes)))

    def memory(self) -> dict[str, F64]:
        return self._rates.memory()

    def on(self, tape: Tape, switch: F64) -> tuple[F64, F64]:
        counts = tape.gate(counted(tape, self._first, self._channel_of, self._m * self._sides), switch)
        rates = self._rates.on(tape, counts)
        parts = [rates[k * self._sides : (k + 1) * self._sides] for k in range(self._m)]
        x = _weighted(tape, parts, [_rounded(cos(TURN * k / self._m)) for k in range(self._m)])
        y = _weighted(tape, parts, [_rounded(sin(TURN * k / self._m)) for k in range(self._m)])
        square = tape.compute("add", tape.compute("square", x), tape.compute("square", y))
        length = tape.compute("sqrt", square)
        amplitude = tape.compute("min", tape.compute("div", length, self._full), 1.0)
        return argument(tape, x, y), amplitude


def _rounded(x: float) -> float:
    """Cosines and sines of quarter turns without their rounding errors."""
    return float(np.round(x, 15))


def _weighted(tape: Tape, parts: list[F64], weights: list[float]) -> F64:
    total = tape.compute("mul", parts[0], weights[0])
    for part, weight in zip(parts[1:], weights[1:], strict=True):
        if weight:
            tape.compute("add", total, tape.compute("mul", part, weight), out=total)
    return total


def argument(tape: Tape, x: F64, y: F64) -> F64:
    """The angle of (x, y) within [0, 2 pi); 0 where both are 0."""
    angle = tape.compute("arctan", tape.compute("div", y, x))
    back = tape.compute("where", tape.compute("lt", x, 0.0), np.pi, 0.0)
    angle = tape.compute("mod", tape.compute("add", angle, back), TURN)
    # a small negative angle may round to a whole turn; 0/0 is no angle
    inside = tape.compute("lt", angle, TURN)
    return tape.compute("where", inside, angle, 0.0)


class Graded:
    """Variables that are phase and amplitude: `phase` and `amplitude` (n,), of which `members` (sides,) are read.

    `alive` (n,) is 0 for silenced neurons, whose amplitude is 0.
    """

    def __init__(self, phase: F64, amplitude: F64, members: I64, alive: F64) -> None:
        self._phase, self._amplitude, self._members, self._alive = phase, amplitude, members, alive

    def memory(self) -> dict[str, F64]:
        return {}

    def on(self, tape: Tape, switch: F64) -> tuple[F64, F64]:
        phase = tape.compute("mod", tape.take(tape.read(self._phase), self._members), TURN)
        size = tape.compute("clip", tape.take(tape.read(self._amplitude), self._members), 0.0, 1.0)
        size = tape.compute("mul", size, tape.take(self._alive, self._members))
        return phase, tape.gate(size, switch)


__all__ = ["Graded", "Phases", "Ring", "argument"]
