"""A lesion study in the way of the published whole-brain fly model (Shiu et al. 2024, doi:10.1038/s41586-024-07763-9):
joblib over processes, in each of which every trial builds its own Brian2 network, runs it and returns its spikes.

    python -m cosim.bench.published FOLDER WORKERS

FOLDER holds ``edges.npz`` and ``trials.json``; one JSON object is printed. Written after the paper's methods: Brian2 in
its default mode (code compiled with Cython), one Synapses object of all connections, a PoissonInput for every driven
neuron, outgoing weights of silenced neurons set to 0.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

EQUATIONS = """
dv/dt = (v_0 - v + g)/t_mbr : volt (unless refractory)
dg/dt = -g/tau : volt (unless refractory)
rfc : second
"""


def trial(folder: Path, silenced: list[int], seconds: float) -> dict[str, float]:
    """Build, run, and give the mean rates (Hz) of the populations that are measured.

    Names begin anew with every trial: Brian2 counts them up over the trials of a process, and what has another name is
    compiled again, which would take most of the time.
    """
    from brian2 import Hz, Network, NeuronGroup, PoissonInput, SpikeMonitor, Synapses, ms, mV, second, volt
    from brian2.core.names import Nameable

    Nameable.__instances__().clear()
    load = np.load(folder / "edges.npz")
    facts: dict[str, Any] = json.loads((folder / "trials.json").read_text(encoding="utf-8"))
    names = {"v_0": -52 * mV, "v_rst": -52 * mV, "v_th": -45 * mV, "t_mbr": 20 * ms, "tau": 5 * ms}
    neurons = NeuronGroup(
        facts["n"], EQUATIONS, method="linear", threshold="v > v_th", reset="v = v_rst; g = 0*mV", refractory="rfc",
        namespace=names,
    )  # fmt: skip
    neurons.v, neurons.g, neurons.rfc = -52 * mV, 0 * mV, 2.2 * ms
    synapses = Synapses(neurons, neurons, "w : volt", on_pre="g += w", delay=1.8 * ms)
    synapses.connect(i=load["pre"], j=load["post"])
    synapses.w = load["w"] * volt
    spikes = SpikeMonitor(neurons)
    inputs = []
    for number in facts["driven"]:
        one = neurons[number : number + 1]
        inputs.append(PoissonInput(target=one, target_var="v", N=1, rate=100 * Hz, weight=250 * 0.275 * mV))
        one.rfc = 0 * ms
    for number in silenced:
        synapses.w[f"i == {number}"] = 0 * mV
    network = Network(neurons, synapses, spikes, *inputs)
    network.run(duration=seconds * second, namespace=names)
    counts = np.bincount(np.asarray(spikes.i), minlength=facts["n"])
    return {name: float(counts[lo:hi].mean() / seconds) for name, (lo, hi) in facts["measured"].items()}


def main(folder: Path, workers: int) -> None:
    """All trials; the code is compiled before the clock starts."""
    from joblib import Parallel, delayed

    facts = json.loads((folder / "trials.json").read_text(encoding="utf-8"))
    trial(folder, [0], 1e-3)
    begin = time.perf_counter()
    found = Parallel(n_jobs=workers)(delayed(trial)(folder, silenced, facts["seconds"]) for silenced in facts["trials"])
    print(json.dumps({"seconds": time.perf_counter() - begin, "rates": found}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
