"""Brian2 as its documentation writes it: `python -m cosim.bench.peers.brian_peer FOLDER loop|standalone WARM TICKS`.

``loop`` calls ``net.run(1*ms)`` once a tick, reads the spikes and writes the currents. ``standalone`` builds Brian2's
own executable with its default options (and as many threads as Peer says); an action runs it and answers with the wall
time of its last ``run``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from brian2 import Network, NeuronGroup, SpikeMonitor, Synapses, defaultclock, ms, second, volt

from cosim.bench.peers.executable import Executable
from cosim.bench.peers.serve import Action, serve, threads

EQUATIONS = """
dv/dt = (V_rest - v + g + I)/tau_m : volt (unless refractory)
dg/dt = -g/tau_s : volt
I : volt
"""


def _objects(folder: Path) -> tuple[NeuronGroup, Synapses, dict[str, Any]]:
    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    load = {name: np.load(folder / f"{name}.npy") for name in ("pre", "post", "delay", "w", "v", "I", "drive")}
    defaultclock.dt = facts["dt"] * second
    names: dict[str, Any] = {name: facts[name] * volt for name in ("V_rest", "V_th")}
    names |= {name: facts[name] * second for name in ("tau_m", "tau_s")}
    cells = NeuronGroup(
        facts["n"], EQUATIONS, threshold="v > V_th", reset="v = V_rest", refractory=facts["refractory"] * second,
        method="exact", namespace=names,
    )  # fmt: skip
    cells.v, cells.I = load["v"] * volt, load["I"] * volt
    delays = load["delay"] * facts["dt"] * second
    one = bool(np.all(load["delay"] == load["delay"][0]))
    synapses = Synapses(cells, cells, "w : volt", on_pre="g += w", delay=delays[0] if one else None)
    synapses.connect(i=load["pre"], j=load["post"])
    synapses.w = load["w"] * volt
    if not one:
        synapses.delay = delays
    return cells, synapses, load


def loop(folder: Path) -> Mapping[str, Action]:
    """Runtime mode."""
    cells, synapses, load = _objects(folder)
    spikes = SpikeMonitor(cells)
    network = Network(cells, synapses, spikes)
    driven, drive = load["drive"].shape[1], load["drive"] * volt

    def alone(ticks: int) -> int:
        before = spikes.num_spikes
        network.run(ticks * ms)
        return int(spikes.num_spikes - before)

    def stepped(ticks: int) -> int:
        seen = first = int(spikes.num_spikes)
        for tick in range(ticks):
            network.run(1 * ms)
            ids = np.asarray(spikes.i[seen:])
            seen += len(ids)
            cells.I[:driven] = drive[tick % len(drive)]
        return seen - first

    return {"alone": alone, "stepped": stepped}


def standalone(folder: Path) -> Mapping[str, Action]:
    """The executable, built here: it goes through WARM ticks and then through TICKS, which are what counts."""
    warm, measured = int(sys.argv[3]), int(sys.argv[4])
    executable = Executable(folder / f"standalone{threads()}", threads())
    cells, synapses, _ = _objects(folder)
    spikes = SpikeMonitor(cells, record=False)
    network = Network(cells, synapses, spikes)
    return {"alone": executable.build(network, [spikes], warm * 1e-3, measured * 1e-3, measured)}


if __name__ == "__main__":
    serve({"loop": loop, "standalone": standalone}[sys.argv[2]])
