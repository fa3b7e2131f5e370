"""The published network alone: ten seeds of the salamander's cord without body and feedback.

    python -m tests.studies.salamander_open_loop [--seeds N] [--seconds S]

Drive 5.7 pA in all reticulospinal pools (no gradient), 2 s of transient, then `--seconds`; prints a row a seed and
the means. Pazzaglia et al. (2025), their code, three seeds: 3.03, 2.98, 3.41 Hz; 1.32, 1.15, 1.94 cycles per body
length; left-right phase .50; EX 41, MN 57, RS 26 Hz. Not collected by pytest;
tests/neural/test_salamander_network.py asserts three seeds.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

import cosim
from cosim.analyse import neural, signals
from cosim.graph.build import build
from cosim.graph.ir import NetworkIR
from cosim.neural.runtime import RuntimeBackend
from cosim.spec.check import parts_of

DT = 1e-3
DRIVE = 5.7e-12
TRANSIENT = 2.0
BIN = 5e-3


@dataclass(frozen=True)
class OpenLoop:
    """Frequency (Hz), waves per body length, phase of the right behind the left side (cycles), mean rates (Hz)."""

    frequency: float
    waves: float
    left_right: float
    rates: dict[str, float]


def salamander_network(seed: int) -> NetworkIR:
    """The network of the shipped circuit, nothing set but the seed."""
    parts = parts_of(cosim.load("salamander_swim").loaded)
    assert parts.circuit is not None
    scope, folder = parts.circuit_parameters, parts.circuit_folder
    return build(parts.circuit, seed=seed, dt=DT, parameters=scope, folder=folder)


def open_loop(seed: int, seconds: float = 8.0) -> OpenLoop:
    """Run one seed for the transient and `seconds`, and measure it."""
    network = salamander_network(seed)
    backend = RuntimeBackend(network, 1)
    backend.view("RS", "I_ext")[:] = DRIVE
    steps, ids = [], []
    stop = TRANSIENT + seconds
    for _ in range(round(stop / DT)):
        backend.advance()
        fired = backend.spikes()
        steps.append(fired[0].copy())
        ids.append(fired[1].copy())
    backend.close()
    times, neurons = np.concatenate(steps) * DT, np.concatenate(ids).astype(np.int64)
    rates = {}
    for name in ("EX", "MN", "RS", "PS"):
        population = network.populations[name]
        mine = (neurons >= population.first) & (neurons < population.last)
        rates[name] = neural.mean_rate(times[mine], population.n, TRANSIENT, stop)
    ex = network.populations["EX"]
    segments = int(ex.segment.max()) + 1
    mine = (neurons >= ex.first) & (neurons < ex.last)
    channel = ex.side.astype(np.int64) * segments + ex.segment
    x = neural.population_rate(times[mine], neurons[mine] - ex.first, channel, TRANSIENT, stop, BIN)
    f = signals.frequency(x, BIN)
    left, right = x[:, :segments], x[:, segments:]
    phases = [signals.relative_phase(left[:, k], right[:, k], BIN, f) for k in range(segments)]
    phase = float(np.angle(np.exp(2j * np.pi * np.array(phases)).mean()) / (2 * np.pi) % 1.0)
    lag = (signals.total_lag(left, BIN, f) + signals.total_lag(right, BIN, f)) / 2
    return OpenLoop(f, lag * segments / (segments - 1), phase, rates)


def main() -> None:
    """Run the seeds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=8.0)
    arguments = parser.parse_args()
    print("| seed | Hz | waves | left-right | EX Hz | MN Hz | RS Hz | PS Hz |\n|" + " --- |" * 8)
    rows = []
    for seed in range(1, arguments.seeds + 1):
        found = open_loop(seed, arguments.seconds)
        rows.append([found.frequency, found.waves, found.left_right, *found.rates.values()])
        print(f"| {seed} | " + " | ".join(f"{x:.2f}" for x in rows[-1]) + " |", flush=True)
    table = np.array(rows)
    print("| mean | " + " | ".join(f"{x:.2f}" for x in table.mean(axis=0)) + " |")
    if len(rows) > 1:
        print("| SD | " + " | ".join(f"{x:.2f}" for x in table.std(axis=0, ddof=1)) + " |")


if __name__ == "__main__":
    main()
