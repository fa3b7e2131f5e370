"""Brian2's own executable of an experiment's network: `python -m cosim.bench.peers.model_peer FOLDER NAME WARM TICKS`.

The objects are cosim's, the code is what Brian2 writes with its default options. State and inputs are those in FOLDER's
``state.npz`` (a snapshot) and are not touched; only what is in flight is left out. The executable goes through WARM
ticks and then through TICKS, which are what counts.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import SpikeMonitor, prefs
from brian2.groups.group import Group

from cosim.bench.peers.executable import Executable
from cosim.bench.peers.serve import Action, serve
from cosim.exact.cplusplus import source as exact_source
from cosim.graph.build import build
from cosim.neural.arrays import Arrays
from cosim.neural.draws_cpp import SOURCE as DRAWS
from cosim.neural.emit import Emitted, emit
from cosim.neural.program import Program, program
from cosim.spec.check import parts_of
from cosim.spec.load import load_experiment

_HEADER = "bench_functions.h"


def open_peer(folder: Path) -> Mapping[str, Action]:
    """Build the executable."""
    warm, measured = int(sys.argv[3]), int(sys.argv[4])
    loaded = load_experiment(sys.argv[2])
    parts, tick = parts_of(loaded), loaded.spec.tick
    assert parts.circuit is not None
    network = build(
        parts.circuit, seed=loaded.spec.seed, dt=loaded.spec.dt, parameters=parts.circuit_parameters,
        folder=parts.circuit_folder,
    )  # fmt: skip
    texts = program(network, switches=False)
    arrays = Arrays(network, texts)
    executable = Executable(folder / "standalone")
    (folder / "standalone" / _HEADER).write_text(
        f"#pragma once\n#include <cmath>\n#include <cstdint>\n{exact_source()}\n{DRAWS}", encoding="utf-8"
    )
    prefs.codegen.cpp.headers += [f'"{_HEADER}"']
    emitted = emit(texts, arrays, network.dt)
    _fill(emitted, texts, arrays, network.dt, folder / "state.npz")
    spikes = [SpikeMonitor(group, record=False) for group in emitted.groups.values() if group.thresholder]
    emitted.network.add(*spikes)
    return {"alone": executable.build(emitted.network, spikes, warm * tick, measured * tick, measured)}


def _fill(emitted: Emitted, texts: Program, arrays: Arrays, dt: float, state: Path) -> None:
    """Edges and values, where the executable's memory does not exist yet."""
    with np.load(state) as file:
        saved = dict(file)
    for text in texts.groups:
        group = emitted.groups[text.model]
        for name, values in arrays.groups[text.model].values.items():
            now = saved.get(f"{group.name}/{name}", values)
            _set(group, name, now[: group.variables[name].size] if isinstance(now, np.ndarray) else now)
    for one in texts.joined:
        synapses, edges = emitted.synapses[one.name], arrays.synapses(one)
        if not len(edges):
            synapses.active = False
            continue
        synapses.connect(i=edges.pre, j=edges.post)
        if hasattr(synapses, "pre") and "delay" in synapses.pre.variables:
            _set(synapses.pre, "delay", edges.delay * dt)
        for name, column in edges.values.items():
            _set(synapses, name, column)


def _set(owner: Group, name: str, values: Any) -> None:
    owner.variables[name].set_value(values)


if __name__ == "__main__":
    serve(open_peer)
