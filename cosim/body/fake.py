"""A body without an engine, for tests of the bridge: first-order joints that can be computed by hand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import Array, Port, arrays_of
from cosim.errors import SimulationError


class FakeBody:
    """`n` joints, each with one muscle: ``angle += rate (activation + external - angle)`` per tick.

    With the default rate of 1/2 and dyadic commands every reading is exact. `seen` lists the ticks that were stepped;
    `fail_at` makes that tick raise SimulationError.
    """

    def __init__(self, n: int = 2, rate: float = 0.5, fail_at: int | None = None) -> None:
        labels = tuple(f"joint_{i}" for i in range(n))
        muscles = tuple(f"muscle_{i}" for i in range(n))
        self.rate, self.fail_at, self.total_mass = rate, fail_at, 1.0
        self.restores_exactly = True
        self.joints: tuple[str, ...] = labels
        self.links: tuple[str, ...] = ("root",)
        self.sensors = {
            "joint_angle": Port("joint_angle", "rad", labels),
            "joint_velocity": Port("joint_velocity", "rad/s", labels),
            "muscle_length": Port("muscle_length", "rad", muscles),
            "link_position": Port("link_position", "m", self.links, 3),
        }
        self.actuators = {"activation": Port("activation", "1", muscles)}
        self.readings: dict[str, Array] = {k: port.buffer() for k, port in self.sensors.items()}
        self.state = self.readings["joint_angle"]
        self.commands: dict[str, Array] = {k: port.buffer() for k, port in self.actuators.items()}
        self.external: dict[str, Array] = {"joint_torque": np.zeros(n), "link_force": np.zeros((1, 3))}
        self.seen: list[int] = []
        self.requested: set[str] = set(self.sensors)

    def request(self, names: Iterable[str]) -> None:
        """Remember what was asked for; all sensors are always computed."""
        self.requested = set(names)

    def step(self, tick: int) -> None:
        """One tick; the link moves 1 m per unit of external force in x, y, z."""
        if tick == self.fail_at:
            raise SimulationError(f"tick {tick}: joint_angle of joint 'joint_0' is nan rad: the fake was told to fail")
        self.seen.append(tick)
        angle = self.readings["joint_angle"]
        change = self.rate * (self.commands["activation"] + self.external["joint_torque"] - angle)
        angle += change
        self.readings["joint_velocity"][:] = change
        self.readings["muscle_length"][:] = -angle
        self.readings["link_position"] += self.external["link_force"]

    def reset(self) -> None:
        """All arrays to 0."""
        for array in (*self.readings.values(), *self.commands.values(), *self.external.values()):
            array[...] = 0.0
        self.seen.clear()

    def close(self) -> None:
        """Nothing to give up."""

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """All arrays."""
        return {key: array.copy() for key, array in arrays_of(self).items()}

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """All arrays, in place."""
        for key, array in arrays_of(self).items():
            array[...] = saved[key]

    @property
    def work(self) -> dict[str, float]:
        """No work."""
        return {}

    def energy(self) -> dict[str, float]:
        """No energy."""
        return {"kinetic": 0.0, "potential": 0.0, "elastic": 0.0}

    def momentum(self) -> Array:
        """(6,) zeros."""
        return np.zeros(6)

    def geometry(self) -> dict[str, Any]:
        """One link without a shape."""
        links = [{"name": "root", "mass": 1.0, "com": [0.0, 0.0, 0.0], "shapes": []}]
        return {"length": 1.0, "axis": ["root"], "forward": [-1.0, 0.0, 0.0], "sites": {}, "links": links}
