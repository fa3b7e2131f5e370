"""Encoders that need more than an expression: threshold crossings and population tuning curves."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.channels import Spread
from cosim.graph.ir import PopulationIR
from cosim.spec.experiment import TuningEncoder
from cosim.spec.units import Dim, Expression, Scope, UnitError, array, dim_text
from cosim.tape import Tape

F64 = NDArray[np.float64]
HERTZ: Dim = (0, 0, -1, 0, 0, 0, 0)


class Crossing:
    """Which neurons' channels have risen through their threshold since the last tick (x before < threshold <= x now).

    `spread` maps the channels (n_channels,) to the neurons; `before` (n_neurons,) holds their values in the last tick.
    Raises UnitError where a unit does not fit.
    """

    def __init__(self, threshold: Expression, scope: Scope, spread: Spread, initial: F64, dim: Dim) -> None:
        self.before = spread(initial)
        self._spread = spread
        self._level = array(threshold, {k: v for k, v in scope.items() if k != "x"}, len(self.before), dim)

    def on(self, tape: Tape, x: F64) -> F64:
        """1 for those neurons and 0 for the others."""
        now = self._spread.on(tape, x)
        below, above = tape.compute("lt", self.before, self._level), tape.compute("ge", now, self._level)
        rising = tape.compute("and", below, above)
        tape.compute("copy", now, out=self.before)
        return rising


def preferred(
    tuning: TuningEncoder, population: PopulationIR, ids: NDArray[np.int64], scope: Scope, dim: Dim
) -> Callable[[Tape, F64], F64]:
    """Gaussian tuning curves (TuningEncoder documents them); preferred values evenly spaced within each side.

    Raises UnitError where a unit does not fit or the width is not positive.
    """

    def one(expression: Expression, wanted: Dim) -> float:
        result = expression.evaluate(scope)
        if np.ndim(result.value) or (result.dim != wanted and result.value != 0):
            raise UnitError(f"'{expression.text}': expected {dim_text(wanted)}")
        return float(result.value)

    low, high = (one(e, dim) for e in tuning.range)
    width, peak, baseline = one(tuning.width, dim), one(tuning.peak, HERTZ), one(tuning.baseline, HERTZ)
    if width <= 0:
        raise UnitError(f"the width '{tuning.width.text}' of a tuning curve must be positive")
    rank = np.empty(len(ids))
    for side in np.unique(population.side[ids]):
        mine = np.flatnonzero(population.side[ids] == side)
        rank[mine] = np.linspace(0.0, 1.0, len(mine)) if len(mine) > 1 else 0.5
    centre = low + (high - low) * rank

    def on(tape: Tape, x: F64) -> F64:
        square = tape.compute("square", tape.compute("sub", x, centre))
        bell = tape.compute("exp", tape.compute("div", square, -2.0 * width * width))
        return tape.compute("add", tape.compute("mul", bell, peak - baseline), baseline)

    return on
