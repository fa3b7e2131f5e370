"""What the bridge knows of a network: views on arrays by name, a loop that it does not own, the last tick's spikes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Spikes = tuple[NDArray[np.int64], NDArray[np.int32]]


class Background(Protocol):
    """Ticks in a thread that does without Python: whoever is asked to begin one can do something else meanwhile.

    Between `begin` and `end` the network belongs to the thread.
    """

    @property
    def seconds(self) -> float:
        """What all ticks took."""
        ...

    def begin(self) -> None:
        """Begin to integrate a tick."""

    def end(self) -> None:
        """Return when it is integrated."""

    def close(self) -> None:
        """End the thread, after the tick that it may be at."""


class NeuralBackend(Protocol):
    """A running network. Times are whole network steps; a tick is `steps_per_tick` of them."""

    name: str
    steps_per_tick: int
    #: whether Python can go on in another thread while a tick is integrated, so that the body may move meanwhile
    releases_gil: bool
    #: the library that the network runs in, which also plays tapes (cosim.tape); None where there is none
    library: ctypes.PyDLL | None

    def view(self, population: str, variable: str) -> NDArray[np.float64]:
        """A writable view, shape (n,), SI, valid for the life of the backend. Raises UserError for an unknown name."""

    def watch(self, population: str, variable: str) -> NDArray[np.float64]:
        """Like `view`, for reading only: where the network is shared among ranks, rank 0 sees all neurons."""

    def run(self, n_ticks: int, on_tick: Callable[[int], bool]) -> int:
        """Own the loop: for each tick call `on_tick(k)`, stop if it returns False, else integrate [k, k+1).

        Returns the number of ticks integrated.
        """

    def advance(self) -> None:
        """Integrate one tick."""

    def background(self) -> Background | None:
        """A thread that integrates ticks without Python; None where there is none."""

    def spikes(self) -> Spikes:
        """Spikes of the last tick, sorted by (step, global id): steps (int64) and ids (int32).

        The next tick may overwrite the arrays.
        """

    def silence(self, population: str, ids: NDArray[np.int64]) -> None:
        """From now on these neurons do not spike."""

    def cut(self, projection: str) -> None:
        """From now on the projection delivers nothing."""

    def transect(self, position: float) -> None:
        """From now on no edge across `position` [m] delivers."""

    def check_finite(self) -> tuple[str, str, int] | None:
        """(population, variable, id in the population) of a value that is not finite, or None."""

    def state(self) -> dict[str, NDArray[np.float64]]:
        """Copies of all state variables by `population/variable`, sorted by name."""

    def snapshot(self) -> dict[str, NDArray[Any]]:
        """Copies of everything that decides how the network goes on, between two ticks; see cosim.neural.snapshot."""

    def restore(self, saved: dict[str, NDArray[Any]]) -> None:
        """Go on from a snapshot of the same network, taken from any backend; views stay valid.

        Raises UserError if it does not fit.
        """

    def close(self) -> None:
        """Release everything."""
