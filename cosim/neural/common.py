"""What the Brian2 backends share: names to views, lesions, looking for values that are not finite."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.neural.arrays import Arrays
from cosim.neural.backend import Background
from cosim.spec.units import suggest
from cosim.tape import NOBODY, Tape


class ArrayBackend:
    """A network whose variables are numpy arrays. Subclasses load the arrays and know how to advance.

    Its variables are known by model and name: the arrays of a group, shape (N,), or (1,) where all share one number.
    """

    name: str
    steps_per_tick: int
    releases_gil = False
    library: ctypes.PyDLL | None = None

    def __init__(self, network: NetworkIR, arrays: Arrays, steps_per_tick: int) -> None:
        self.steps_per_tick = steps_per_tick
        self._network = network
        self._arrays = arrays
        self._finite: list[tuple[str, str, NDArray[np.float64]]] = []
        self._variables: dict[str, dict[str, NDArray[Any]]] = {}
        self._shared: dict[str, set[str]] = {}

    def _name_variables(
        self, variables: dict[str, dict[str, NDArray[Any]]], states: dict[str, list[str]], shared: dict[str, set[str]]
    ) -> None:
        """By model: all variables, the names of state variables, and those that are one number for all neurons."""
        self._variables = variables
        self._shared = shared
        self._finite = [
            (model, name, variables[model][name]) for model, names in states.items() for name in sorted(names)
        ]
        look = Tape()
        for _, _, values in self._finite:
            look.finite(values)
        self._look = look.load(self.library)

    def view(self, population: str, variable: str) -> NDArray[np.float64]:
        found = self._network.populations[population]
        known = self._variables[found.model]
        if variable not in known or variable in ("alive", "draw_key"):
            raise UserError(f"population '{population}' has no variable '{variable}'{suggest(variable, known)}")
        values = known[variable]
        if variable in self._shared[found.model]:
            raise UserError(f"'{variable}' of population '{population}' is one value shared by all neurons")
        at = self._arrays.offset[population]
        view: NDArray[np.float64] = values[at : at + self._arrays.part.size(found)]
        return view

    def watch(self, population: str, variable: str) -> NDArray[np.float64]:
        return self.view(population, variable)

    def run(self, n_ticks: int, on_tick: Callable[[int], bool]) -> int:
        for tick in range(n_ticks):
            if not on_tick(tick):
                return tick
            self.advance()
        return n_ticks

    def advance(self) -> None:
        raise NotImplementedError

    def background(self) -> Background | None:
        return None

    def silence(self, population: str, ids: NDArray[np.int64]) -> None:
        lo, hi = self._arrays.part.bounds[population]
        here = ids[(ids >= lo) & (ids < hi)] - lo
        model = self._network.populations[population].model
        self._variables[model]["alive"][self._arrays.offset[population] + here] = False

    def cut(self, projection: str, edges: NDArray[np.bool_] | None = None) -> None:
        """Cut a projection, or those of its edges that are marked, in the order of its edge list."""
        name, places = self._arrays.places(projection, edges)
        if len(places):
            self._cut(name, places)

    def _cut(self, synapses: str, places: NDArray[np.int64]) -> None:
        raise NotImplementedError

    def transect(self, position: float) -> None:
        """Cut every edge across `position` [m] along the axis."""
        for name, places in self._arrays.crossing(position):
            if len(places):
                self._cut(name, places)

    def check_finite(self) -> tuple[str, str, int] | None:
        if not self._look(0, NOBODY):
            return None
        for model, variable, values in self._finite:
            wrong = np.flatnonzero(~np.isfinite(values))
            if not len(wrong):
                continue
            for name, at in self._arrays.offset.items():
                population = self._network.populations[name]
                if population.model == model and at <= wrong[0] < at + self._arrays.part.size(population):
                    return name, variable, int(wrong[0] - at) + self._arrays.part.bounds[name][0]
        return None

    def order(self, population: str, variable: str, neuron: int) -> tuple[int, int]:
        """Where a value comes in the order in which `check_finite` looks: its variable, then the neuron's global id."""
        one = self._network.populations[population]
        looked = [(model, name) for model, name, _ in self._finite]
        return looked.index((one.model, variable)), one.first + neuron

    def state(self) -> dict[str, NDArray[np.float64]]:
        found = {}
        for name, population in self._network.populations.items():
            at = self._arrays.offset[name]
            for model, variable, values in self._finite:
                if model == population.model:
                    found[f"{name}/{variable}"] = values[at : at + self._arrays.part.size(population)].copy()
        return dict(sorted(found.items()))
