"""The Brian2 runtime backend: cython code objects (numpy where there is no compiler), stepped one by one.

``Network.run`` collects garbage and resolves all names again on each call (tens of milliseconds); here it is called
once, for zero time, to prepare the objects, and the loop afterwards is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np
from brian2 import Synapses, prefs, second
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.neural.arrays import Arrays, SynapsesArrays
from cosim.neural.backend import Spikes
from cosim.neural.brian_private import (
    check_version,
    known_variables,
    longest_delay,
    own_variables,
    pathways,
    put_in_flight,
    runners,
)
from cosim.neural.common import ArrayBackend
from cosim.neural.denormals import Flushing
from cosim.neural.emit import emit, fill
from cosim.neural.part import Part
from cosim.neural.program import program
from cosim.neural.snapshot import SPIKES_AND_CLOCK, State, check_flight, check_keys, put, spikes_of
from cosim.neural.toolchain import FLAGS, has_compiler, vector_flags


def configure(target: str) -> None:
    """Set Brian2's preferences for reproducible code. `target` is `cython` or `numpy`."""
    prefs.codegen.target = target
    prefs.codegen.cpp.extra_compile_args_gcc = [*FLAGS, *vector_flags(), "-std=c++11"]


class RuntimeBackend(ArrayBackend):
    """A network in Brian2's runtime mode. See NeuralBackend."""

    def __init__(
        self,
        network: NetworkIR,
        steps_per_tick: int,
        *,
        target: str = "auto",
        part: Part | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        if target == "auto":
            target = "cython" if has_compiler() else "numpy"
        check_version()
        self.name = f"runtime ({target})"
        configure(target)
        if target == "cython" and say is not None:
            say("building the network (the first run of a circuit compiles it, which takes about a minute)")
        self._texts = program(network, switches=True)
        super().__init__(network, Arrays(network, self._texts, part=part), steps_per_tick)
        self._dt = network.dt
        self._flushing = Flushing()
        self._spikes: list[tuple[int, NDArray[np.int32]]] = []  # of the last tick: step, global ids
        self._history: deque[tuple[int, NDArray[np.int32]]] = deque()  # of as many steps as the longest delay
        self._load({}, 0)

    def _load(self, heard: Mapping[str, SynapsesArrays], lag: int) -> None:
        """Make the Brian2 objects and fill them.

        `heard`: edges of the objects whose spikes come from elsewhere, `lag` steps after they happened.
        """
        arrays = self._arrays
        self._emitted = emitted = emit(
            self._texts, arrays, self._dt, {name: len(e.sources) for name, e in heard.items()}
        )
        fill(emitted, self._texts, arrays, self._dt, heard, lag)
        emitted.network.run(0 * second, namespace={})
        self._runs = runners(emitted.network, without=emitted.heard.values())
        self._timestep = emitted.clock.variables["timestep"].get_value()
        self._t = emitted.clock.variables["t"].get_value()
        self._spaces = [
            (group.variables["_spikespace"].get_value(), arrays.groups[model].ids.astype(np.int32))
            for model, group in emitted.groups.items()
            if "_spikespace" in group.variables and arrays.groups[model].n
        ]
        self._ascending = len(self._spaces) == 1 and bool(np.all(np.diff(self._spaces[0][1]) > 0))
        self._models = {group: model for model, group in emitted.groups.items()}
        self._longest = max((longest_delay(pathway) for pathway in self._pathways()), default=0)
        self._name_variables(
            {
                model: {name: group.variables[name].get_value() for name in known_variables(group)}
                for model, group in emitted.groups.items()
            },
            {model: list(group.equations.diff_eq_names) for model, group in emitted.groups.items()},
            {
                model: {name for name in known_variables(group) if group.variables[name].scalar}
                for model, group in emitted.groups.items()
            },
        )

    def advance(self) -> None:
        self._flushing.begin()
        try:
            self._advance()
        finally:
            self._flushing.end()

    def _advance(self) -> None:
        self._spikes.clear()
        self._integrate(self.steps_per_tick)
        self._remember()

    def _hear(self, step: int) -> None:
        """Let objects know the spikes from elsewhere that reach them in this step."""

    def _integrate(self, n: int) -> None:
        runs, timestep, t, dt = self._runs, self._timestep, self._t, self._dt
        spikes = self._spikes
        for _ in range(n):
            self._hear(int(timestep[0]))
            for run in runs:
                run()
            now = int(timestep[0])
            for space, gids in self._spaces:
                count = space[-1]
                if count:
                    spikes.append((now, gids[space[:count]]))
            timestep[0] = now + 1
            t[0] = (now + 1) * dt

    def _remember(self) -> None:
        """The tick's spikes become a part of the history, and what is too old goes."""
        first = int(self._timestep[0]) - self._longest
        self._history.extend(self._spikes)
        while self._history and self._history[0][0] < first:
            self._history.popleft()

    def spikes(self) -> Spikes:
        return self._stacked(self._spikes)

    def _stacked(self, parts: Collection[tuple[int, NDArray[np.int32]]]) -> Spikes:
        """Spikes of single steps and groups -> (steps, ids), by step and id."""
        if not parts:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        ids = np.concatenate([part for _, part in parts])
        steps = np.repeat([step for step, _ in parts], [len(part) for _, part in parts])
        if self._ascending:
            return steps, ids
        order = np.lexsort((ids, steps))
        return steps[order], ids[order]

    def _cut(self, synapses: str, places: NDArray[np.int64]) -> None:
        self._emitted.synapses[synapses].variables["intact"].get_value()[places] = 0.0

    def snapshot(self) -> State:
        saved: State = {"clock/step": self._timestep.copy()}
        saved |= {key: values.copy() for key, values in self._saved()}
        saved["flight/step"], saved["flight/id"] = self._stacked(self._history)
        saved["spikes/step"], saved["spikes/id"] = self.spikes()
        return saved

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        found = list(self._saved())
        check_keys(saved, {*SPIKES_AND_CLOCK, *(key for key, _ in found)})
        for key, values in found:
            put(values, saved, key)
        put(self._timestep, saved, "clock/step")
        now = int(self._timestep[0])
        self._t[0] = now * self._dt
        self._put_in_flight(saved, now)
        self._spikes = by_step(saved["spikes/step"], saved["spikes/id"])

    def _put_in_flight(self, saved: Mapping[str, NDArray[Any]], now: int) -> None:
        known = np.concatenate([np.empty(0, dtype=np.int32), *(gids for _, gids in self._spaces)])
        steps, ids = check_flight(saved, now, self._longest, known)
        self._history.clear()
        self._history.extend(by_step(steps, ids))
        for pathway in self._pathways():
            ages, sources = spikes_of(self._arrays.groups[self._models[pathway.source]].ids, steps, ids, now)
            put_in_flight(pathway, ages, sources)

    def _saved(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Key and array of all variables that a snapshot holds."""
        for group in (*self._emitted.groups.values(), *self._emitted.synapses.values()):
            for name, variable in own_variables(group):
                if not isinstance(group, Synapses) or (group.active and not variable.constant):
                    yield f"{group.name}/{name}", variable.get_value()

    def _pathways(self) -> Iterator[SynapticPathway]:
        for synapses in self._emitted.synapses.values():
            if synapses.active:
                yield from (pathway for pathway in pathways(synapses) if pathway.prepost == "pre")

    def close(self) -> None:
        self._runs = []
        self._name_variables({}, {}, {})


def by_step(steps: NDArray[np.int64], ids: NDArray[np.int32]) -> list[tuple[int, NDArray[np.int32]]]:
    """Spikes step by step."""
    return [(int(step), ids[steps == step]) for step in np.unique(steps)]


__all__ = ["RuntimeBackend", "configure", "has_compiler"]
