"""The Brian2 runtime backend: cython code objects (numpy where there is no compiler), stepped one by one.

``Network.run`` collects garbage and resolves all names again on each call (tens of milliseconds); here it is called
once, for zero time, to prepare the objects, and the loop afterwards is ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from brian2 import Synapses, prefs, second
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.neural.arrays import Arrays
from cosim.neural.backend import Spikes
from cosim.neural.brian_private import (
    check_version,
    in_flight,
    known_variables,
    own_variables,
    pathways,
    runners,
    set_in_flight,
)
from cosim.neural.common import ArrayBackend
from cosim.neural.denormals import Flushing
from cosim.neural.emit import emit, fill
from cosim.neural.program import program
from cosim.neural.snapshot import State, arrays_to_slots, check_keys, put, slots_to_arrays
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
        say: Callable[[str], None] | None = None,
    ) -> None:
        if target == "auto":
            target = "cython" if has_compiler() else "numpy"
        check_version()
        self.name = f"runtime ({target})"
        configure(target)
        if target == "cython" and say is not None:
            say("building the network (the first run of a circuit compiles it, which takes about a minute)")
        texts = program(network, switches=True)
        arrays = Arrays(network, texts)
        super().__init__(network, arrays, steps_per_tick)
        self._emitted = emitted = emit(texts, {model: group.n for model, group in arrays.groups.items()}, network.dt)
        fill(emitted, texts, arrays, network.dt)
        emitted.network.run(0 * second, namespace={})
        self._runs = runners(emitted.network)
        self._flushing = Flushing()
        self._timestep = emitted.clock.variables["timestep"].get_value()
        self._t = emitted.clock.variables["t"].get_value()
        self._dt = network.dt
        self._spaces = [
            (group.variables["_spikespace"].get_value(), arrays.groups[model].ids.astype(np.int32))
            for model, group in emitted.groups.items()
            if "_spikespace" in group.variables
        ]
        self._ascending = len(self._spaces) == 1 and bool(np.all(np.diff(self._spaces[0][1]) > 0))
        self._steps: list[int] = []
        self._ids: list[NDArray[np.int32]] = []
        self._name_variables(
            {
                model: {name: group.variables[name].get_value() for name in known_variables(group)}
                for model, group in emitted.groups.items()
            },
            {model: list(group.equations.diff_eq_names) for model, group in emitted.groups.items()},
        )

    def advance(self) -> None:
        self._flushing.begin()
        try:
            self._advance()
        finally:
            self._flushing.end()

    def _advance(self) -> None:
        runs, timestep, t, dt = self._runs, self._timestep, self._t, self._dt
        steps, ids = self._steps, self._ids
        steps.clear()
        ids.clear()
        for _ in range(self.steps_per_tick):
            for run in runs:
                run()
            now = int(timestep[0])
            for space, gids in self._spaces:
                count = space[-1]
                if count:
                    steps.append(now)
                    ids.append(gids[space[:count]])
            timestep[0] = now + 1
            t[0] = (now + 1) * dt

    def spikes(self) -> Spikes:
        if not self._ids:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        ids = np.concatenate(self._ids)
        steps = np.repeat(self._steps, [len(part) for part in self._ids])
        if self._ascending:
            return steps, ids
        order = np.lexsort((ids, steps))
        return steps[order], ids[order]

    def _cut(self, synapses: str, places: NDArray[np.int64]) -> None:
        self._emitted.synapses[synapses].variables["intact"].get_value()[places] = 0.0

    def snapshot(self) -> State:
        saved: State = {"clock/step": self._timestep.copy()}
        saved |= {key: values.copy() for key, values in self._saved()}
        for name, synapses in self._emitted.synapses.items():
            if "intact" in synapses.variables and not (intact := synapses.variables["intact"].get_value()).all():
                saved[f"{name}/intact"] = intact.astype(np.uint8)
        for pathway in self._pathways():
            saved[f"{pathway.name}/due"], saved[f"{pathway.name}/synapse"] = slots_to_arrays(in_flight(pathway))
        saved["spikes/step"], saved["spikes/id"] = self.spikes()
        return saved

    def restore(self, saved: Mapping[str, NDArray[Any]]) -> None:
        found = list(self._saved())
        switches = {f"{n}/intact": s for n, s in self._emitted.synapses.items() if "intact" in s.variables}
        queues = [f"{pathway.name}/{part}" for pathway in self._pathways() for part in ("due", "synapse")]
        check_keys(saved, {"clock/step", "spikes/step", "spikes/id", *(k for k, _ in found), *switches, *queues})
        for key, values in found:
            put(values, saved, key)
        for key, synapses in switches.items():
            synapses.variables["intact"].get_value()[:] = saved.get(key, 1.0)
        for pathway in self._pathways():
            due, synapse = saved[f"{pathway.name}/due"], saved[f"{pathway.name}/synapse"]
            slots = arrays_to_slots(due, synapse, len(in_flight(pathway)), len(pathway.synapses))
            set_in_flight(pathway, slots)
        put(self._timestep, saved, "clock/step")
        self._t[0] = self._timestep[0] * self._dt
        steps, ids = saved["spikes/step"], saved["spikes/id"]
        self._steps[:] = [int(step) for step in np.unique(steps)]
        self._ids[:] = [ids[steps == step] for step in self._steps]

    def _saved(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Key and array of all variables that a snapshot holds."""
        for group in (*self._emitted.groups.values(), *self._emitted.synapses.values()):
            for name, variable in own_variables(group):
                if not isinstance(group, Synapses) or (group.active and not variable.constant):
                    yield f"{group.name}/{name}", variable.get_value()

    def _pathways(self) -> Iterator[SynapticPathway]:
        for synapses in self._emitted.synapses.values():
            if synapses.active:
                yield from pathways(synapses)

    def close(self) -> None:
        self._runs = []
        self._finite = []
        self._variables = {}


__all__ = ["RuntimeBackend", "configure", "has_compiler"]
