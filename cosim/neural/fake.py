"""A network without an engine, for tests of the loop: plain arrays and scripted spikes, exact in every tick."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosim.neural.backend import Spikes


class FakeBackend:
    """Every population has the same variables; `respond(step, arrays)` returns the global ids that spike in a step.

    Parameters
    ----------
    populations: {name: (first global id, n)}. variables: names of the arrays every population gets (zeros).
    """

    def __init__(
        self,
        populations: dict[str, tuple[int, int]],
        variables: tuple[str, ...],
        steps_per_tick: int,
        respond: Callable[[int, dict[str, NDArray[np.float64]]], list[int]],
    ) -> None:
        self.name = "fake"
        self.releases_gil = False
        self.library = None
        self.steps_per_tick = steps_per_tick
        self.arrays = {f"{p}/{v}": np.zeros(n) for p, (_, n) in populations.items() for v in variables}
        self.silenced: list[tuple[str, list[int]]] = []
        self.cuts: list[str] = []
        self._respond = respond
        self._step = 0
        self._spikes: list[tuple[int, int]] = []

    def view(self, population: str, variable: str) -> NDArray[np.float64]:
        return self.arrays[f"{population}/{variable}"]

    def watch(self, population: str, variable: str) -> NDArray[np.float64]:
        return self.view(population, variable)

    def run(self, n_ticks: int, on_tick: Callable[[int], bool]) -> int:
        for tick in range(n_ticks):
            if not on_tick(tick):
                return tick
            self.advance()
        return n_ticks

    def advance(self) -> None:
        self._spikes = []
        for _ in range(self.steps_per_tick):
            self._spikes += [(self._step, i) for i in sorted(self._respond(self._step, self.arrays))]
            self._step += 1

    def background(self) -> None:
        return None

    def spikes(self) -> Spikes:
        steps = np.array([s for s, _ in self._spikes], dtype=np.int64)
        return steps, np.array([i for _, i in self._spikes], dtype=np.int32)

    def silence(self, population: str, ids: NDArray[np.int64]) -> None:
        self.silenced.append((population, ids.tolist()))

    def cut(self, projection: str) -> None:
        self.cuts.append(projection)

    def transect(self, position: float) -> None:
        self.cuts.append(f"transect {position:g}")

    def check_finite(self) -> tuple[str, str, int] | None:
        for key, values in self.arrays.items():
            wrong = np.flatnonzero(~np.isfinite(values))
            if len(wrong):
                population, variable = key.split("/")
                return population, variable, int(wrong[0])
        return None

    def state(self) -> dict[str, NDArray[np.float64]]:
        return {key: values.copy() for key, values in sorted(self.arrays.items())}

    def close(self) -> None:
        pass
