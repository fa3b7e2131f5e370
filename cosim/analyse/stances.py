"""Which legs touch the ground: simulated forces beside a measured record, and beside chance.

In a walking animal most legs stand most of the time, so that whoever says "all legs, always" is right in four of five
cases and has an F1 score of .86. Balanced accuracy and correlation are not fooled so; and as the record is periodic,
the yardstick is the same record shifted in time.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.agreement import pearson
from cosim.bridge.inputs import read_columns
from cosim.errors import Problem, UserError

F64 = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Stances:
    """A record of contacts: `down` (n, legs) at frames that begin at `time` (n,) in s, every `dt`."""

    time: F64
    dt: float
    legs: tuple[str, ...]
    down: Bools

    def between(self, begin: float, end: float) -> Stances:
        """The frames that lie within [begin, end]."""
        kept = (self.time > begin - 1e-6 * self.dt) & (self.time + self.dt < end + 1e-6 * self.dt)
        return Stances(self.time[kept], self.dt, self.legs, self.down[kept])

    @property
    def duty(self) -> F64:
        """Share of the time that each leg is down (legs,)."""
        return np.asarray(self.down.mean(axis=0))

    @property
    def steps(self) -> F64:
        """Landings a second of each leg (legs,)."""
        return np.asarray((np.diff(self.down.astype(int), axis=0) == 1).sum(axis=0) / (len(self.time) * self.dt))


def read_stances(path: Path) -> Stances:
    """A CSV file ``time [ms],LF,LM,...`` with 1 where the leg touches the ground. Raises UserError."""
    names, _, table = read_columns(path)
    time, down = table[:, 0], table[:, 1:]
    steps = np.diff(time)
    if names[0] != "time" or len(names) < 2 or len(time) < 2:
        raise UserError(Problem(str(path), 1, 1, "", "expected a column 'time [s]', one column a leg, and two rows"))
    if not np.allclose(steps, steps[0]) or steps[0] <= 0:
        raise UserError(Problem(str(path), 0, 0, "", "expected times with equal steps"))
    if not np.isin(down, (0, 1)).all():
        row = int(np.argwhere(~np.isin(down, (0, 1)))[0, 0])
        raise UserError(Problem(str(path), 0, 0, "", f"row {row + 1}: a contact is 0 or 1"))
    return Stances(time, float(steps[0]), tuple(names[1:]), down.astype(bool))


def binned(time: F64, values: F64, begins: F64, dt: float) -> F64:
    """Means of readings (n, ...) within bins [begin, begin + dt); a reading stands at the end of its interval."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    slack = 1e-6 * dt
    first, last = (np.searchsorted(time, begins + shift + slack, "left") for shift in (0.0, dt))
    count = np.maximum(last - first, 1)
    return np.asarray((sums[last] - sums[first]) / count.reshape(-1, *[1] * (values.ndim - 1)))


def balanced_accuracy(said: Bools, down: Bools) -> float:
    """Mean of sensitivity and specificity; NaN where the record holds only one of the two."""
    if down.all() or not down.any():
        return float("nan")
    return float((said[down].mean() + (~said[~down]).mean()) / 2)


@dataclass(frozen=True)
class Agreement:
    """Forces beside a record: `accuracy` and `r` (legs,), their means, and `shifted`, the same two means (shifts, 2)
    for the record shifted in a circle."""

    legs: tuple[str, ...]
    accuracy: F64
    r: F64
    shifted: F64

    @property
    def mean_accuracy(self) -> float:
        return mean_known(self.accuracy)

    @property
    def mean_r(self) -> float:
        return mean_known(self.r)


def compare(force: F64, stances: Stances, threshold: float, shifts: int) -> Agreement:
    """Vertical forces (n, legs) in the record's frames, against the record and against `shifts` circular shifts of it.

    A leg is said to be down where its force is above `threshold`; r is Pearson's correlation of that with the record.
    """
    said = force > threshold
    accuracy, r = _legs(said, stances.down)
    n = len(said)
    moved = [round(n * k / (shifts + 1)) for k in range(1, shifts + 1)]
    chance = [tuple(map(mean_known, _legs(said, np.roll(stances.down, m, axis=0)))) for m in moved]
    return Agreement(stances.legs, accuracy, r, np.array(chance).reshape(-1, 2))


def _legs(said: Bools, down: Bools) -> tuple[F64, F64]:
    accuracy = [balanced_accuracy(a, b) for a, b in zip(said.T, down.T, strict=True)]
    return np.array(accuracy), np.array([pearson(a, b) for a, b in zip(said.T, down.T, strict=True)])


def mean_known(values: F64) -> float:
    """Mean of the legs of which it can be said."""
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float("nan")
