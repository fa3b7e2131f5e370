"""Commands to the body from a file instead of a network: joint angles to replay, torques to play."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike
from cosim.bridge.clock import Clock
from cosim.bridge.inputs import read_columns
from cosim.bridge.wires import port_channels, unit_dim
from cosim.spec.common import Located
from cosim.spec.experiment import CommandSpec
from cosim.spec.units import NONE, Dim, Scope, UnitError, dim_text, suggest

TIME: Dim = (0, 0, 1, 0, 0, 0, 0)


class Commands:
    """Columns of a CSV file, linear between rows (or periodic), written to an actuator.

    Raises Located for what does not fit.
    """

    def __init__(self, spec: CommandSpec, body: BodyLike, clock: Clock, folder: Path, scope: Scope) -> None:
        port, self._index, channels = port_channels(body.actuators, spec.write, "write")
        self._command = body.commands[port.name].reshape(-1)
        names, dims, data = read_columns(folder / spec.file)
        if names[0] != "time" or dims[0] != TIME:
            raise Located([(("file",), f"the first column of {spec.file} must be 'time [s]' (or another unit of time)")])
        wanted = unit_dim(port.unit)
        problems: list[tuple[tuple[str | int, ...], str]] = []
        for channel in channels:
            if channel not in names[1:]:
                problems.append((("file",), f"no column '{channel}' in {spec.file}{suggest(channel, names[1:])}"))
            elif dims[names.index(channel)] != wanted:
                problems.append((("file",), f"column '{channel}' of {spec.file}: expected {dim_text(wanted)}"))
        if (np.diff(data[:, 0]) <= 0).any():
            problems.append((("file",), f"the times in {spec.file} do not rise"))
        if problems:
            raise Located(problems)
        self._times = data[:, 0]
        self._values: NDArray[np.float64] = data[:, [names.index(c) for c in channels]] * self._scale(spec, scope)
        self._period = float(self._times[-1] - self._times[0]) if spec.periodic else 0.0
        self._tick = clock.tick

    @staticmethod
    def _scale(spec: CommandSpec, scope: Scope) -> float:
        if spec.scale is None:
            return 1.0
        try:
            value = spec.scale.evaluate(scope)
        except UnitError as error:
            raise Located([(("scale",), str(error))]) from None
        if value.dim != NONE:
            raise Located([(("scale",), f"expected {dim_text(NONE)}")])
        return float(value.value)

    def apply(self, tick: int) -> None:
        """Write the commands for the end of the tick: where the body is to be at (tick + 1)."""
        t = (tick + 1) * self._tick
        if self._period:
            t = self._times[0] + (t - self._times[0]) % self._period
        right = int(np.clip(np.searchsorted(self._times, t, "right"), 1, len(self._times) - 1))
        span = self._times[right] - self._times[right - 1]
        f = min(max((t - self._times[right - 1]) / span, 0.0), 1.0)
        self._command[self._index] = self._values[right - 1] * (1.0 - f) + self._values[right] * f
