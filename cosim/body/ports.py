"""What the bridge sees of a body: named ports and persistent arrays, whatever engine is behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Port:
    """One sensor or actuator: `width` values (m: x, y, z) for each of `labels`, in `unit`."""

    name: str
    unit: str
    labels: tuple[str, ...]
    width: int = 1

    def buffer(self) -> Array:
        """A zeroed array for the port: (labels,) when `width` is 1, else (labels, width)."""
        shape = (len(self.labels),) if self.width == 1 else (len(self.labels), self.width)
        return np.zeros(shape)


class BodyLike(Protocol):
    """A body with or without an engine.

    `commands` and `external` are written by the caller before `step`, `readings` are overwritten by it; none of the
    arrays is ever replaced, so they may be kept. `external` holds `joint_torque` (hinges and sliders, in the order of
    `joints`; N m or N) and `link_force` (links, 3; N, world axes, at the centre of mass).
    """

    sensors: dict[str, Port]
    actuators: dict[str, Port]
    readings: dict[str, Array]
    commands: dict[str, Array]
    external: dict[str, Array]
    joints: tuple[str, ...]
    links: tuple[str, ...]
    total_mass: float
    #: the raw state, for hashing
    state: Array

    @property
    def restores_exactly(self) -> bool:
        """Whether going on from a snapshot in another process gives the bits that going on here would."""
        ...

    @property
    def work(self) -> dict[str, float]:
        """Work done on the body so far by origin, J."""
        ...

    def request(self, names: Iterable[str]) -> None:
        """Compute only these sensors from now on (default: all)."""

    def step(self, tick: int) -> None:
        """Advance from `tick` to `tick + 1` under the commands, then refresh the readings."""

    def reset(self) -> None:
        """Back to the initial state, commands and work included."""

    def close(self) -> None:
        """Give up the engine; the arrays stay readable."""

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that decides how the body goes on, between two ticks."""
        ...

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        """Go on from a snapshot of the same body; no array is replaced. Raises UserError if it does not fit."""

    def energy(self) -> dict[str, float]:
        """Kinetic, potential (gravity) and elastic (passive springs) energy, J."""
        ...

    def momentum(self) -> Array:
        """Linear and angular momentum about the origin, (6,), kg m/s and kg m^2/s."""
        ...

    def geometry(self) -> dict[str, Any]:
        """A description for rendering."""
        ...


def arrays_of(body: BodyLike) -> dict[str, Array]:
    """The ports' arrays themselves, by ``commands/<name>``, ``external/<name>`` and ``readings/<name>``."""
    groups = {"commands": body.commands, "external": body.external, "readings": body.readings}
    return {f"{group}/{name}": array for group, arrays in groups.items() for name, array in arrays.items()}
