"""The Brian2 runtime backend: cython code objects (numpy where there is no compiler), stepped one by one.

``Network.run`` collects garbage and resolves all names again on each call (tens of milliseconds); here it is called once, for zero
time, to prepare the objects, and the loop afterwards is ours. Tested with Brian2 2.9.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Synapses, prefs, second
from brian2.core.base import BrianObject
from brian2.core.variables import ArrayVariable
from brian2.synapses.synapses import SynapticPathway
from numpy.typing import NDArray

from cosim.errors import UserError
from cosim.graph.ir import ContinuousIR, NetworkIR, ProjectionIR
from cosim.graph.lesion import crosses
from cosim.neural.backend import Spikes
from cosim.neural.emit import Emitted, emit
from cosim.neural.snapshot import BOOKKEEPING, State, arrays_to_slots, check_keys, put, slots_to_arrays
from cosim.spec.units import suggest

# No option that changes values: Brian2's own default is -ffast-math -march=native.
_FLAGS = ["-w", "-O3", "-ffp-contract=off", "-fno-math-errno", "-fno-trapping-math", "-std=c++11"]


@lru_cache(maxsize=1)
def _vector_flags() -> list[str]:
    """AVX2 where this processor has it: the same bits (no contraction), faster loops."""
    if platform.machine() != "x86_64":
        return []
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore")
    except OSError:
        return []
    return ["-march=x86-64-v3"] if " avx2 " in text and " bmi2 " in text and " fma " in text else []


def has_compiler() -> bool:
    """Whether a C++ compiler is on the path."""
    return any(shutil.which(name) for name in ("g++", "c++", "clang++"))


def configure(target: str) -> None:
    """Set Brian2's preferences for reproducible code. `target` is `cython` or `numpy`."""
    prefs.codegen.target = target
    prefs.codegen.cpp.extra_compile_args_gcc = _FLAGS + _vector_flags()


def _idle(item: BrianObject) -> bool:
    """Objects that do nothing by themselves in a step (groups and synapses; their runners are objects of their own)."""
    return not item.code_objects and type(item).run is BrianObject.run


class RuntimeBackend:
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
        self.name = f"runtime ({target})"
        self.steps_per_tick = steps_per_tick
        self._network = network
        configure(target)
        if target == "cython" and say is not None:
            say("building the network (the first run of a circuit compiles it, which takes about a minute)")
        self._emitted: Emitted = emit(network)
        self._emitted.network.run(0 * second, namespace={})
        self._runs = [o.run for o in self._emitted.network.sorted_objects if o.active and not _idle(o)]
        clock = self._emitted.clock
        self._timestep = clock.variables["timestep"].get_value()
        self._t = clock.variables["t"].get_value()
        self._dt = network.dt
        self._spaces = [
            (group.variables["_spikespace"].get_value(), self._emitted.ids[model].astype(np.int32))
            for model, group in self._emitted.groups.items()
            if "_spikespace" in group.variables
        ]
        self._steps: list[int] = []
        self._ids: list[NDArray[np.int32]] = []
        self._finite = list(self._state_views())
        self._joined: dict[str, ProjectionIR | ContinuousIR] = {**network.projections, **network.continuous}

    def _state_views(self) -> list[tuple[str, str, NDArray[np.float64]]]:
        views = []
        for model, group in self._emitted.groups.items():
            names = sorted(group.equations.diff_eq_names)
            views += [(model, name, group.variables[name].get_value()) for name in names]
        return views

    def view(self, population: str, variable: str) -> NDArray[np.float64]:
        found = self._network.populations[population]
        group = self._emitted.groups[found.model]
        known = [*group.equations.diff_eq_names, *group.equations.parameter_names]
        if variable not in known:
            message = f"population '{population}' has no variable '{variable}'{suggest(variable, known)}"
            raise UserError(message)
        values = group.variables[variable].get_value()
        if len(values) != len(group):
            raise UserError(f"'{variable}' of population '{population}' is one value shared by all neurons")
        at = self._emitted.offset[population]
        view: NDArray[np.float64] = values[at : at + found.n]
        return view

    def run(self, n_ticks: int, on_tick: Callable[[int], bool]) -> int:
        for tick in range(n_ticks):
            if not on_tick(tick):
                return tick
            self.advance()
        return n_ticks

    def advance(self) -> None:
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
        if len(self._spaces) > 1 or not self._ascending:
            order = np.lexsort((ids, steps))
            return steps[order], ids[order]
        return steps, ids

    @property
    def _ascending(self) -> bool:
        return bool(np.all(np.diff(self._spaces[0][1]) > 0))

    def silence(self, population: str, ids: NDArray[np.int64]) -> None:
        found = self._network.populations[population]
        alive = self._emitted.groups[found.model].variables["alive"].get_value()
        alive[self._emitted.offset[population] + ids] = False

    def cut(self, projection: str, edges: NDArray[np.bool_] | None = None) -> None:
        name, rows = self._emitted.rows[projection]
        intact = self._emitted.synapses[name].variables["intact"].get_value()
        if edges is None:
            intact[rows] = 0.0
            return
        # rows are in the object's order (by source, target); the projection's own edge list is by (target, source)
        built = self._joined[projection]
        target_n = self._network.populations[built.target].n
        edge_list = built.edges(0, target_n)
        order = np.lexsort((edge_list.post, edge_list.pre))
        intact[rows[edges[order]]] = 0.0

    def transect(self, position: float) -> None:
        """Cut every edge across `position` [m] along the axis."""
        for name, projection in self._joined.items():
            source, target = (self._network.populations[p] for p in (projection.source, projection.target))
            edges = projection.edges(0, target.n)
            self.cut(name, crosses(source, target, edges.pre, edges.post, position))

    def check_finite(self) -> tuple[str, str, int] | None:
        for model, variable, values in self._finite:
            if np.isfinite(values.sum()):
                continue
            wrong = np.flatnonzero(~np.isfinite(values))
            if not len(wrong):
                continue  # the sum alone overflowed
            for name, at in self._emitted.offset.items():
                population = self._network.populations[name]
                if population.model == model and at <= wrong[0] < at + population.n:
                    return name, variable, int(wrong[0] - at)
        return None

    def state(self) -> dict[str, NDArray[np.float64]]:
        found = {}
        for name, population in self._network.populations.items():
            at = self._emitted.offset[name]
            for model, variable, values in self._finite:
                if model == population.model:
                    found[f"{name}/{variable}"] = values[at : at + population.n].copy()
        return dict(sorted(found.items()))

    def snapshot(self) -> State:
        saved: State = {"clock/step": self._timestep.copy()}
        saved |= {key: values.copy() for key, values in self._saved()}
        for name, synapses in self._emitted.synapses.items():
            if "intact" in synapses.variables and not (intact := synapses.variables["intact"].get_value()).all():
                saved[f"{name}/intact"] = intact.astype(np.uint8)
        for pathway in self._pathways():
            offset, slots = pathway.queue._full_state()
            order = [np.array(slots[(offset + i) % len(slots)], dtype=np.int32) for i in range(len(slots))]
            saved[f"{pathway.name}/due"], saved[f"{pathway.name}/synapse"] = slots_to_arrays(order)
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
            n_slots = len(pathway.queue._full_state()[1])
            due, synapse = saved[f"{pathway.name}/due"], saved[f"{pathway.name}/synapse"]
            slots = arrays_to_slots(due, synapse, n_slots, len(pathway.synapses))
            pathway.queue._restore_from_full_state((0, [slot.tolist() for slot in slots]))
        put(self._timestep, saved, "clock/step")
        self._t[0] = self._timestep[0] * self._dt
        self._set_spikes(saved["spikes/step"], saved["spikes/id"])

    def _set_spikes(self, steps: NDArray[np.int64], ids: NDArray[np.int32]) -> None:
        """Let spikes() return these until the next tick."""
        self._steps[:], self._ids[:] = [], []
        for step in np.unique(steps):
            self._steps.append(int(step))
            self._ids.append(ids[steps == step])

    def _saved(self) -> Iterator[tuple[str, NDArray[Any]]]:
        """Key and array of all variables that a snapshot holds."""
        for group in (*self._emitted.groups.values(), *self._emitted.synapses.values()):
            if isinstance(group, Synapses) and not group.active:
                continue
            for name, variable in sorted(group.variables.items()):
                if not isinstance(variable, ArrayVariable) or variable.owner.name != group.name:
                    continue
                if name in BOOKKEEPING or name.startswith("_") or (isinstance(group, Synapses) and variable.constant):
                    continue
                yield f"{group.name}/{name}", variable.get_value()

    def _pathways(self) -> Iterator[SynapticPathway]:
        for synapses in self._emitted.synapses.values():
            if synapses.active:
                yield from synapses._pathways

    def close(self) -> None:
        self._runs = []
        self._finite = []
