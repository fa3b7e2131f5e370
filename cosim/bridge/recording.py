"""Which arrays of a lockstep go into the record, under which names."""

from __future__ import annotations

from typing import Any

import numpy as np

from cosim.bridge.lockstep import Lockstep
from cosim.bridge.outgoing import Outgoing
from cosim.bridge.wires import SensoryWire
from cosim.errors import UserError
from cosim.graph.ir import PopulationIR
from cosim.graph.lesion import where_mask
from cosim.neural.equations import variable_units
from cosim.record import (
    PopulationLayout,
    Recorder,
    RecordLayout,
    SeriesLayout,
    body_series,
    command_series,
    state_series,
    wire_series,
)
from cosim.record.memory import MemoryRecorder
from cosim.record.series import Picked, Source
from cosim.replay.command import KinematicsCommand
from cosim.spec.experiment import ExperimentSpec, StateRecord, Where
from cosim.spec.units import UnitError, suggest, unit_text

Path = tuple[str | int, ...]


def check_record(spec: ExperimentSpec, lockstep: Lockstep) -> list[tuple[Path, str]]:
    """Problems of the `record` and `measure` sections (paths in the experiment document)."""
    problems: list[tuple[Path, str]] = []
    populations = lockstep.network.populations if lockstep.network is not None else {}
    if isinstance(spec.record.spikes, list):
        for i, name in enumerate(spec.record.spikes):
            if name not in populations:
                problems.append((("record", "spikes", i), f"no population '{name}'{suggest(name, populations)}"))
    for name, variables in spec.record.state.items():
        here: Path = ("record", "state", name)
        if name not in populations:
            problems.append((here, f"no population '{name}'{suggest(name, populations)}"))
            continue
        assert lockstep.network is not None and lockstep.backend is not None
        for variable, wanted in variables.items():
            try:
                lockstep.backend.view(name, variable)
                _every(lockstep, wanted.every)
            except UserError as error:
                problems.append(((*here, variable), error.problems[0].message))
            except UnitError as error:
                problems.append(((*here, variable, "every"), str(error)))
            if wanted.cells is not None:
                try:
                    _neurons(populations[name], wanted)
                except UnitError as error:
                    problems.append(((*here, variable, "cells"), str(error)))
            if isinstance(wanted.neurons, list):
                for i, neuron in enumerate(wanted.neurons):
                    if not 0 <= neuron < populations[name].n:
                        message = f"no neuron {neuron}, expected 0 to {populations[name].n - 1}"
                        problems.append(((*here, variable, "neurons", i), message))
    if lockstep.body is not None and isinstance(spec.record.body.sensors, list):
        for i, sensor in enumerate(spec.record.body.sensors):
            if sensor not in lockstep.body.sensors:
                hint = suggest(sensor, lockstep.body.sensors)
                problems.append((("record", "body", "sensors", i), f"the body has no sensor '{sensor}'{hint}"))
    try:
        _every(lockstep, spec.record.body.every)
    except UnitError as error:
        problems.append((("record", "body", "every"), str(error)))
    return problems


def _neurons(population: PopulationIR, wanted: StateRecord) -> list[int] | None:
    """The neurons whose state is wanted; None for all. Raises UnitError for a cell that there is not."""
    if wanted.cells is not None:
        ids = np.flatnonzero(where_mask(population, Where(cells=wanted.cells)))
        return [int(one) for one in ids]
    return list(wanted.neurons) if isinstance(wanted.neurons, list) else None


def _every(lockstep: Lockstep, seconds: float | None) -> int:
    return max(lockstep.clock.ticks(seconds, "the interval"), 1) if seconds is not None else 1


def _population(population: PopulationIR, spiking: bool) -> PopulationLayout:
    side = [population.sides[s] for s in population.side] if population.sides else None
    return PopulationLayout(
        population.name, population.first, population.n, side, {"y": population.y, **population.coordinates}, spiking,
        population.cells.ids if population.cells is not None else None,
    )  # fmt: skip


def watch(spec: ExperimentSpec, lockstep: Lockstep) -> list[tuple[SeriesLayout, Source]]:
    """The state variables that go into the record, and where they are read.

    Ranks that share a network call this together.
    """
    found: list[tuple[SeriesLayout, Source]] = []
    network, backend = lockstep.network, lockstep.backend
    if network is None or backend is None:
        return found
    for name, variables in spec.record.state.items():
        units = variable_units(network.models[network.populations[name].model])
        for variable, wanted in variables.items():
            view = backend.watch(name, variable)
            neurons = _neurons(network.populations[name], wanted)
            listed = neurons if neurons is not None else list(range(len(view)))
            layout = state_series(
                name, variable, listed, unit=unit_text(units[variable]), every=_every(lockstep, wanted.every)
            )
            found.append((layout, view if neurons is None else Picked(view, np.array(neurons, dtype=np.int64))))
    return found


def attach(
    spec: ExperimentSpec,
    lockstep: Lockstep,
    path: Any,
    manifest: dict[str, Any],
    resume: dict[str, np.ndarray[Any, Any]] | None = None,
) -> Recorder:
    """Create the record of a run at `path` and connect the lockstep's arrays to it; returns the open Recorder.

    `resume`: take up the record that is there at this position (see ``Recorder``).
    """
    layout, taken = _plan(spec, lockstep)
    recorder = Recorder(
        path,
        manifest=manifest,
        layout=layout,
        flush_every=max(round(1.0 / lockstep.clock.tick), 1),
        resume=resume,
    )
    _connect(lockstep, recorder, taken)
    return recorder


def attach_memory(spec: ExperimentSpec, lockstep: Lockstep, manifest: dict[str, Any]) -> MemoryRecorder:
    """The same in memory."""
    layout, taken = _plan(spec, lockstep)
    recorder = MemoryRecorder(manifest, layout)
    _connect(lockstep, recorder, taken)
    return recorder


#: a series, where its rows are read, and whether that is before the body moves
_Taken = tuple[SeriesLayout, Source, bool]


def _plan(spec: ExperimentSpec, lockstep: Lockstep) -> tuple[RecordLayout, list[_Taken]]:
    """What is recorded, and from where. Sensors that nobody reads are no longer worked out."""
    clock = lockstep.clock
    network, body = lockstep.network, lockstep.body
    series: list[_Taken] = [(layout, values, True) for layout, values in watch(spec, lockstep)]
    if body is not None:
        every = _every(lockstep, spec.record.body.every)
        wanted_sensors = list(body.sensors) if spec.record.body.sensors == "all" else list(spec.record.body.sensors)
        for name in wanted_sensors:
            port = body.sensors[name]
            layout = body_series(name, port.labels, unit=port.unit, width=port.width, every=every)
            series.append((layout, body.readings[name], False))
        body.request({*wanted_sensors, *(w.sensor for w in lockstep.sensory)})
        for command in lockstep.commands:
            if isinstance(command, KinematicsCommand):
                layout = command_series(command.name, command.channels, unit=command.unit, every=every)
                series.append((layout, command.target, False))
    if spec.record.wires:
        wires: list[SensoryWire | Outgoing] = [*lockstep.sensory, *lockstep.motor]
        for wire in wires:
            for side in ("sent", "delivered"):
                layout = wire_series(wire.name, side, wire.channels, unit=wire.unit)
                series.append((layout, getattr(wire, side), True))
    populations = () if network is None else tuple(
        _population(p, network.models[p.model].threshold is not None) for p in network.populations.values()
    )  # fmt: skip
    spikes: bool | tuple[str, ...] = spec.record.spikes == "all"
    if isinstance(spec.record.spikes, list):
        spikes = tuple(spec.record.spikes)
    return RecordLayout(clock.tick, clock.dt, populations, tuple(one for one, _, _ in series), spikes), series


def _connect(lockstep: Lockstep, recorder: Recorder | MemoryRecorder, taken: list[_Taken]) -> None:
    together: dict[tuple[bool, int], list[tuple[str, Source]]] = {}
    for layout, values, before in taken:
        together.setdefault((before, layout.every), []).append((layout.name, values))
    for (before, every), sources in together.items():
        recorder.gather(sources, every, 0 if before else 1)
    if lockstep.body is not None:
        recorder.watch(lockstep.body.state)
    recorder.reading.load(lockstep.backend.library if lockstep.backend is not None else None)
    lockstep.recorder = recorder
