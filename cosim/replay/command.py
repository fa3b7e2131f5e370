"""Measured joint angles as commands to a body's servos, and as the pose in which it begins."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import BodyLike
from cosim.bridge.clock import Clock
from cosim.bridge.commands import Commands
from cosim.bridge.wires import port_channels
from cosim.replay.kinematics import read_kinematics
from cosim.spec.body import BodySpec
from cosim.spec.common import Located
from cosim.spec.experiment import CommandSpec, ExperimentSpec
from cosim.spec.units import suggest

F64 = NDArray[np.float64]


class KinematicsCommand(Commands):
    """Angles that a body's joints follow, linear between samples. Raises Located for what does not fit.

    Where the body has servos (a port `position_rate`), position and rate of the tick's beginning are written, which
    make the way of the whole tick; else the position at the tick's end. `target` (channels,) holds where the joints are
    to be at the end of the tick.
    """

    def __init__(self, name: str, spec: CommandSpec, body: BodyLike, clock: Clock, folder: Path, end: float) -> None:
        assert spec.kinematics is not None
        self.name = name
        if "position" not in spec.write:
            (given, *_) = spec.write
            raise Located([(("write", given), f"kinematics are written to position{suggest(given, ['position'])}")])
        port, self._index, self.channels = port_channels(body.actuators, spec.write, "write")
        self.unit = port.unit
        self.kinematics = read_kinematics(folder / spec.kinematics, body.joints, self.channels)
        time = self.kinematics.time
        last = float(time[-1] + (time[-1] - time[-2]))
        if end > last * (1 + 1e-9):
            message = f"the movement lasts {last:g} s, the experiment {end:g} s"
            raise Located([(("kinematics",), message)])
        self._position = body.commands["position"]
        self._rate = body.commands.get("position_rate")
        self._rated = self._rated_channels(body) if self._rate is not None else self._index
        self._tick = clock.tick
        self.target = self.kinematics.at(0.0)
        self._at = -1

    def _rated_channels(self, body: BodyLike) -> NDArray[np.int64]:
        labels = body.actuators["position_rate"].labels
        return np.array([labels.index(name) for name in self.channels])

    def apply(self, tick: int) -> None:
        """Write the commands of the tick."""
        begin = self.target if tick == self._at + 1 and tick else self.kinematics.at(tick * self._tick)
        end = self.kinematics.at((tick + 1) * self._tick)
        if self._rate is None:
            self._position[self._index] = end
        else:
            self._position[self._index] = begin
            self._rate[self._rated] = (end - begin) / self._tick
        self.target[:] = end
        self._at = tick


def posed(body: BodySpec, experiment: ExperimentSpec, folder: Path) -> BodySpec:
    """The body as it stands at the beginning of a movement that is replayed: its first angles are the initial ones."""
    angles: dict[str, float] = {}
    for command in experiment.commands.values():
        if command.kinematics is not None:
            found = read_kinematics(folder / command.kinematics)
            first = zip(found.joints, found.angles[0].tolist(), strict=True)
            # joints that there are not are told with their line by the command itself
            angles.update((joint, angle) for joint, angle in first if joint in body.joints)
    if not angles:
        return body
    initial = body.initial.model_copy(update={"joints": {**body.initial.joints, **angles}})
    return body.model_copy(update={"initial": initial})
