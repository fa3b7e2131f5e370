"""Run small circuits on the runtime backend and keep what happened in every step."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import Lesions
from cosim.neural.common import ArrayBackend
from cosim.neural.compiled import CompiledBackend
from cosim.neural.runtime import RuntimeBackend
from tests.graph.helpers import network

Every = Callable[[int], None]

#: a cell that keeps what it is given: weights arrive as they are and nothing decays
COUNTER = {"equations": "dg/dt = 0*g/ms : 1", "method": "euler"}


def start(
    *, target: str = "numpy", steps_per_tick: int = 1, seed: int = 1, dt: float = 1e-4, lesions: Lesions | None = None,
    **document: Any,
) -> tuple[NetworkIR, ArrayBackend]:  # fmt: skip
    """The network of a circuit document and a backend that runs it."""
    net = network(seed=seed, dt=dt, lesions=lesions, **document)
    if target == "compiled":
        return net, CompiledBackend(net, steps_per_tick)
    return net, RuntimeBackend(net, steps_per_tick, target=target)


def play(backend: ArrayBackend, ticks: int, every: Every | None = None) -> NDArray[np.int64]:
    """Run some ticks, `every(tick)` before each; all spikes as rows (step, global id)."""
    rows: list[NDArray[np.int64]] = []
    for tick in range(ticks):
        if every is not None:
            every(tick)
        backend.advance()
        steps, ids = backend.spikes()
        rows.append(np.stack([steps, ids.astype(np.int64)], axis=1))
    return np.concatenate(rows) if rows else np.empty((0, 2), dtype=np.int64)


def trace(
    backend: ArrayBackend, population: str, variable: str, ticks: int, every: Every | None = None
) -> NDArray[np.float64]:
    """A variable after each tick, shape (ticks, n)."""
    view = backend.view(population, variable)
    out = np.empty((ticks, len(view)))
    for tick in range(ticks):
        if every is not None:
            every(tick)
        backend.advance()
        out[tick] = view
    return out


def same_state(a: ArrayBackend, b: ArrayBackend) -> bool:
    """Whether all state variables of two backends are equal to the bit."""
    one, two = a.state(), b.state()
    return one.keys() == two.keys() and all(one[k].tobytes() == two[k].tobytes() for k in one)


def fire_at(backend: ArrayBackend, population: str, when: dict[int, list[int]]) -> Every:
    """Let the spike sources of a population fire in given ticks: {tick: ids}."""
    fire = backend.view(population, "fire")

    def every(tick: int) -> None:
        for neuron in when.get(tick, []):
            fire[neuron] = 1.0

    return every


def both(*actions: Every) -> Every:
    """All of some actions, each tick."""

    def every(tick: int) -> None:
        for action in actions:
            action(tick)

    return every
