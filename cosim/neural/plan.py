"""A backend that cannot run: it answers what there is, so that wiring can be checked without an engine."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.neural.backend import Spikes
from cosim.neural.equations import read
from cosim.spec.units import suggest


class PlanBackend:
    """Views are arrays of the right length; nothing moves. See NeuralBackend."""

    name = "plan"
    releases_gil = False
    library: ctypes.PyDLL | None = None

    def __init__(self, network: NetworkIR, steps_per_tick: int) -> None:
        self._network = network
        self.steps_per_tick = steps_per_tick

    def view(self, population: str, variable: str) -> NDArray[np.float64]:
        found = self._network.populations[population]
        equations = read(self._network.models[found.model].equations)
        known = [*equations.states, *equations.parameters]
        if variable not in known:
            raise UserError(f"population '{population}' has no variable '{variable}'{suggest(variable, known)}")
        return np.zeros(found.n)

    def watch(self, population: str, variable: str) -> NDArray[np.float64]:
        return self.view(population, variable)

    def run(self, n_ticks: int, on_tick: Callable[[int], bool]) -> int:
        raise RuntimeError("a plan does not run")

    def advance(self) -> None:
        raise RuntimeError("a plan does not run")

    def background(self) -> None:
        return None

    def spikes(self) -> Spikes:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)

    def silence(self, population: str, ids: NDArray[np.int64]) -> None: ...

    def cut(self, projection: str) -> None: ...

    def transect(self, position: float) -> None: ...

    def check_finite(self) -> tuple[str, str, int] | None:
        return None

    def state(self) -> dict[str, NDArray[np.float64]]:
        return {}

    def snapshot(self) -> dict[str, NDArray[Any]]:
        return {}

    def restore(self, saved: dict[str, NDArray[Any]]) -> None: ...

    def close(self) -> None: ...
