"""What is shared among ranks: the circuits of the backends, and some that are of interest on several ranks only."""

from __future__ import annotations

from typing import Any

import numpy as np

from cosim.graph.lesion import Lesions
from cosim.neural.backend import NeuralBackend
from tests.neural.circuits import CELL, CIRCUITS, GAP, GRADED, NOISE, STDP, STP, Circuit, join, lif


def _act(backend: NeuralBackend, tick: int) -> None:
    """Drives in every tick, a lesion on either side of the snapshot."""
    backend.view("S", "rate")[:] = 50.0 * (1 + tick % 7)
    backend.view("N", "I")[:] = 0.8 + 0.3 * np.sin(0.1 * tick + 0.1 * np.arange(40))
    if tick == 20:
        backend.silence("L", np.arange(0, 25, 3))
    if tick == 45:
        backend.cut("LN")


def everything() -> dict[str, Any]:
    """Noise, Poisson sources, plasticity of both kinds, delays of many lengths, gap junctions beside spikes."""
    late = {"delay": {"uniform": ["0.3 ms", "4 ms"]}}
    return {
        "models": {"noisy": NOISE, "lif": lif(), "cell": CELL, "graded": GRADED},
        "populations": {
            "N": {"model": "noisy", "n": 40},
            "S": {"model": "poisson_source", "n": 20},
            "L": {"model": "lif", "n": 25},
            "M": {"model": "lif", "n": 15},
            "A": {"model": "cell", "n": 6},
            "G": {"model": "graded", "n": 4},
        },
        "projections": {
            "SN": join("S", "N", **late, parameters={"w": 0.2}),
            "NN": join("N", "N", **{**STDP, **late}),
            "NL": join("N", "L", **{**STP, **late}),
            "LN": join("L", "N", **late),
            "LM": join("L", "M", delay="1.1 ms"),
            "MA": join("M", "A", **late, on_spike="v_post += w*mV", parameters={"w": {"normal": [1, 0.2]}}),
        },
        "continuous": {
            "gap": GAP,
            "graded": {**GAP, "from": "G", "expression": "k*v_pre", "parameters": {"k": "5 pA"}},
        },
    }


def reads_the_source() -> dict[str, Any]:
    """A plastic rule that reads the source's variables, between populations that so stay together, beside others."""
    return {
        "models": {"m": lif()},
        "populations": {"P": {"model": "m", "n": 12}, "Q": {"model": "m", "n": 10}, "R": {"model": "m", "n": 60}},
        "projections": {
            "PQ": join("P", "Q", on_spike="g += w*exp(-g_pre)", delay="0 ms"),
            "QR": join("Q", "R"),
            "RP": join("R", "P"),
            "RR": join("R", "R"),
        },
    }


SHARED = {
    **CIRCUITS,
    "everything": Circuit(everything(), _act, Lesions(cut_later=frozenset({"LN"}))),
    "reads_the_source": Circuit(reads_the_source()),
    # all fire in the first step, again and again, and hear of it later
    "volley": Circuit(
        {
            "models": {"m": lif(initial={"v": 2}, parameters={"tau": "10 ms", "tau_g": "5 ms", "I": 1.2})},
            "populations": {"A": {"model": "m", "n": 300}},
            "projections": {"AA": join("A", "A", connect={"probability": 0.05})},
        }
    ),
}
