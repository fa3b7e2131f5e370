"""NEST on the neurons and edges of a folder: `python -m cosim.bench.peers.nest_peer FOLDER`.

`iaf_psc_exp` is the same equation: with 20 pF and 20 ms its membrane resistance is 1 GOhm, so 1 pA stands for 1 mV.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from cosim.bench.peers.serve import Action, serve, threads


def open_peer(folder: Path) -> Mapping[str, Action]:
    """The network in memory, and the ways to step it."""
    import nest  # greets on standard output, which by now is not the answers'

    facts = json.loads((folder / "facts.json").read_text(encoding="utf-8"))
    load = {name: np.load(folder / f"{name}.npy") for name in ("pre", "post", "delay", "w", "v", "I", "drive")}
    nest.verbosity = nest.VerbosityLevel.QUIET
    nest.ResetKernel()
    dt = facts["dt"] * 1e3
    nest.set(resolution=dt, local_num_threads=threads(), print_time=False)
    tau_m, tau_s = facts["tau_m"] * 1e3, facts["tau_s"] * 1e3
    cells = nest.Create(
        "iaf_psc_exp",
        facts["n"],
        {
            "C_m": tau_m, "tau_m": tau_m, "tau_syn_ex": tau_s, "tau_syn_in": tau_s, "E_L": facts["V_rest"] * 1e3,
            "V_reset": facts["V_rest"] * 1e3, "V_th": facts["V_th"] * 1e3, "t_ref": facts["refractory"] * 1e3,
        },
    )  # fmt: skip
    cells.V_m = load["v"] * 1e3
    cells.I_e = load["I"] * 1e3
    nest.Connect(
        load["pre"].astype(np.int64) + 1,
        load["post"].astype(np.int64) + 1,
        "one_to_one",
        {"weight": load["w"] * 1e3, "delay": load["delay"] * dt},
    )
    recorder = nest.Create("spike_recorder", {"record_to": "memory"})
    nest.Connect(cells, recorder)
    driven = cells[: load["drive"].shape[1]]
    drive = [[{"I_e": value} for value in row] for row in (load["drive"] * 1e3).tolist()]

    def alone(ticks: int) -> int:
        nest.Simulate(float(ticks))
        return _count()

    def bare(ticks: int) -> int:
        for _ in range(ticks):
            nest.Prepare()
            nest.Run(1.0)
            nest.Cleanup()
        return _count()

    def stepped(ticks: int) -> int:
        spikes = 0
        for tick in range(ticks):
            nest.Prepare()
            nest.Run(1.0)
            nest.Cleanup()
            events = recorder.get("events")
            recorder.n_events = 0
            spikes += len(events["senders"])
            driven.set(drive[tick % len(drive)])
        return spikes

    def _count() -> int:
        spikes = int(recorder.n_events)
        recorder.n_events = 0
        return spikes

    return {"alone": alone, "bare": bare, "stepped": stepped}


def facts() -> Mapping[str, bool]:
    """Whether this NEST can be shared among ranks."""
    import nest

    return {"has_mpi": bool(nest.build_info["have_mpi"])}


if __name__ == "__main__":
    serve(open_peer, facts)
