"""Small circuits that between them use everything a circuit can: the backends must give the same bits on each.

All are driven hard enough that they spike and that a spike's time depends on the last bits of what came before.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cosim.graph.lesion import Lesions
from cosim.neural.backend import NeuralBackend

Action = Callable[[NeuralBackend, int], None]


@dataclass(frozen=True)
class Circuit:
    """A document, lesions that it must be prepared for, and an action at the start of every tick (of ten steps)."""

    document: dict[str, Any]
    action: Action | None = None
    lesions: Lesions = field(default_factory=Lesions)


def lif(**more: Any) -> dict[str, Any]:
    """An integrate-and-fire cell with an exponential synaptic current."""
    return {
        "equations": "dv/dt = (I - v + g)/tau : 1\ndg/dt = -g/tau_g : 1\nI : 1",
        "threshold": "v > 1", "reset": "v = 0", "method": "euler",
        "parameters": {"tau": "10 ms", "tau_g": "5 ms", "I": {"uniform": [1.05, 1.6]}},
        "initial": {"v": {"uniform": [0, 1]}},
        **more,
    }  # fmt: skip


def join(source: str, to: str, **more: Any) -> dict[str, Any]:
    """A random projection with drawn weights and delays."""
    return {
        "from": source, "to": to, "connect": {"probability": 0.3}, "on_spike": "g += w",
        "parameters": {"w": {"normal": [0.05, 0.06]}}, "delay": {"uniform": ["0.1 ms", "2 ms"]}, **more,
    }  # fmt: skip


def recurrent(
    model: dict[str, Any], projection: dict[str, Any] | None = None, n: int = 50, **more: Any
) -> dict[str, Any]:
    """One population of a model that excites itself."""
    return {
        "models": {"m": model},
        "populations": {"A": {"model": "m", "n": n}},
        "projections": {"AA": projection or join("A", "A")},
        **more,
    }


REFRACTORY = lif(
    equations="dv/dt = (I - v + g)/tau : 1 (unless refractory)\ndg/dt = -g/tau_g : 1\nI : 1", refractory="2.2 ms"
)
NOISE = lif(equations="dv/dt = (I - v + g)/tau + sigma*sqrt(2/tau)*xi : 1\ndg/dt = -g/tau_g : 1\nI : 1")
NOISE["parameters"] = {**NOISE["parameters"], "sigma": 0.3, "I": 0.8}
CUBIC = lif(
    equations="dv/dt = (v*(a - v)*(v - 1) - r + I + g)/tau : 1\ndr/dt = (v - c*r)/(80*ms) : 1\n"
    "dg/dt = -g/tau_g : 1\nI : 1",
    threshold="v > 0.8", reset=None, refractory="5 ms",
)  # fmt: skip
CUBIC["parameters"] = {"tau": "2 ms", "tau_g": "5 ms", "a": 0.1, "c": 1, "I": {"uniform": [0.1, 0.6]}}
#: some fire without pause, some now and then; most are at rest and hear little
MOSTLY_QUIET = lif(
    equations="dv/dt = (I - v + g)/tau : 1 (unless refractory)\ndg/dt = -g/tau_g : 1 (unless refractory)\nI : 1\n"
    "t_ref : second",
    reset="v = 0; g = 0", refractory="t_ref", method="exact",
    parameters={"tau": "10 ms", "tau_g": "5 ms", "I": "where(i % 300 < 5, 1.5 + i/3000, 0.1)",
                "t_ref": "where(i % 3 < 1, 0 ms, 2.2 ms)"},
)  # fmt: skip
FLAGGED = {**REFRACTORY, "threshold": "v > 1 + 0.2*int(not_refractory) or v < 0"}
ADAPTIVE = lif(
    equations="dv/dt = (I - v - u + g)/tau : 1\ndu/dt = (a*v - u)/tau_u : 1\ndg/dt = -g/tau_g : 1\nI : 1",
    reset="v = 0; u += b",
    parameters={"tau": {"uniform": ["8 ms", "12 ms"]}, "tau_u": "50 ms", "tau_g": "5 ms", "a": 0.1,
                "b": {"normal": [0.1, 0.02]}, "I": 2},
)  # fmt: skip
CELL = {
    "equations": "dv/dt = (g_L*(E - v) + I_gap)/C : volt\nI_gap : amp\nE : volt",
    "threshold": "v > -50*mV", "reset": "v = -65*mV", "method": "euler",
    "parameters": {"C": "100 pF", "g_L": "10 nS", "E": {"uniform": ["-49 mV", "-40 mV"]}},
    "initial": {"v": {"uniform": ["-65 mV", "-50 mV"]}},
}  # fmt: skip
GAP = {"from": "A", "to": "A", "connect": {"probability": 0.2}, "expression": "q*(v_pre - v_post)", "target": "I_gap",
       "parameters": {"q": {"uniform": ["0.1 nS", "1 nS"]}}}  # fmt: skip
STDP = {
    "equations": "dp/dt = -p/(20*ms) : 1 (event-driven)\ndq/dt = -q/(20*ms) : 1 (event-driven)\nw : 1",
    "on_spike": "g += w\np += 0.01\nw = clip(w + q, 0, 0.2)", "on_post": "q -= 0.012\nw = clip(w + p, 0, 0.2)",
    "parameters": {}, "initial": {"w": 0.1},
}  # fmt: skip
WEAK = {**STDP, "initial": {"w": 0.01}}
STP = {
    "equations": "du/dt = (U - u)/(200*ms) : 1 (event-driven)\ndx/dt = (1 - x)/(100*ms) : 1 (event-driven)",
    "on_spike": "u += U*(1 - u)\ng += w*u*x\nx -= u*x",
    "parameters": {"w": 0.4, "U": 0.3}, "initial": {"u": 0.3, "x": 1},
}  # fmt: skip
CLOCKED = {
    "equations": "ds/dt = -s/(3*ms) : 1 (clock-driven)\nw : 1", "method": "euler",
    "on_spike": "s += 1\ng += w*s", "parameters": {}, "initial": {"w": 0.05},
}  # fmt: skip
GRADED = {"equations": "dv/dt = (I - v)/(20*ms) : 1\nI : 1", "method": "euler", "initial": {"v": {"uniform": [0, 1]}}}


#: every function that equations may use, and every operation that a language has its own idea of
FUNCTIONS = (
    "exp(v)", "expm1(v - 1)", "exprel(v - 1)", "log(0.1 + v**2)", "log10(0.1 + abs(v))", "log1p(abs(v))",
    "sin(300*Hz*t + v)", "cos(30*v)", "tan(v)", "sinh(v)", "cosh(v)", "tanh(v)", "arcsin(clip(v, -1, 1))",
    "arccos(clip(0.9*v, -1, 1))", "arctan(3*v)", "sqrt(abs(v))", "abs(v)**1.7", "(2 + v)**v", "abs(v)**0.5",
    "v**3 + v**4", "(1 + abs(v))**-2 + v**7", "v % 0.3", "v // 0.3", "i/(i + 2) + i % 3", "floor(3*v) - ceil(2*v)",
    "2**0.3*v + exp(0.3)*v", "sign(v)*exp(-v**2)", "timestep(t, dt)*1e-3",
)  # fmt: skip


def every_function() -> dict[str, Any]:
    """One state variable follows each function of a v that a drive moves; some are in threshold, reset and synapse."""
    lines = ["dv/dt = (I - v + g + 0.5*sin(200*Hz*t))/tau : 1", "dg/dt = -g/tau_g : 1", "I : 1"]
    lines += [f"df{k}/dt = ({f} - f{k})/(3*ms) : 1" for k, f in enumerate(FUNCTIONS)]
    cell = lif(equations="\n".join(lines), threshold="v > 1 + 0.1*exp(-f0)", reset="v = 0.1*sin(v)")
    return recurrent(cell, join("A", "A", on_spike="g += w*exp(-v_post**2)"), n=20)


def two(**more: Any) -> dict[str, Any]:
    """Two populations of one model, one of another between them: ids of a group do not ascend without gaps."""
    return {
        "models": {"m": REFRACTORY, "k": lif()},
        "populations": {"A": {"model": "m", "n": 30}, "K": {"model": "k", "n": 20}, "B": {"model": "m", "n": 25}},
        "projections": {
            **{a + b: join(a, b) for a, b in ("AB", "BA", "KA", "AK", "KB")},
            "inhibition": join("B", "K", on_spike="g -= w"),
        },
        **more,
    }  # fmt: skip


def along(**more: Any) -> dict[str, Any]:
    """`two`, laid out along an axis of 10 mm."""
    document = two(axis={"length": "10 mm"}, **more)
    for population in document["populations"].values():
        population["span"] = ["0 mm", "10 mm"]
    return document


def wave(backend: NeuralBackend, tick: int) -> None:
    """A drive that changes in every tick."""
    backend.view("A", "I")[:] = 1.2 + 0.5 * np.sin(0.1 * tick + 0.1 * np.arange(50))


def fire(backend: NeuralBackend, tick: int) -> None:
    """Sources fire one after another."""
    backend.view("S", "fire")[tick % 20] = 1.0


def rates(backend: NeuralBackend, tick: int) -> None:
    """Poisson sources change their rate."""
    backend.view("S", "rate")[:] = 50.0 * (1 + tick % 7)


def cut_at_50(backend: NeuralBackend, tick: int) -> None:
    """One projection of several in an object, then a continuous one."""
    if tick == 50:
        backend.cut("AB")


def cut_gap(backend: NeuralBackend, tick: int) -> None:
    """A continuous projection goes."""
    if tick == 50:
        backend.cut("gap")


def transect(backend: NeuralBackend, tick: int) -> None:
    """Everything across 4 mm goes."""
    if tick == 50:
        backend.transect(4e-3)


def silence(backend: NeuralBackend, tick: int) -> None:
    """Some neurons stop."""
    if tick == 50:
        backend.silence("B", np.arange(0, 25, 2))


def silence_busy(backend: NeuralBackend, tick: int) -> None:
    """Neurons that go on above their threshold."""
    if tick == 30:
        backend.silence("A", np.arange(300, 304))


def sources(model: str, **more: Any) -> dict[str, Any]:
    """Twenty sources drive fifty cells."""
    return recurrent(
        REFRACTORY,
        populations={"S": {"model": model, "n": 20}, "A": {"model": "m", "n": 50}},
        projections={"SA": join("S", "A", parameters={"w": 0.3}, delay="0 ms"), "AA": join("A", "A")},
        **more,
    )


CIRCUITS: dict[str, Circuit] = {
    "euler": Circuit(recurrent(lif())),
    "exact": Circuit(recurrent(lif(method="exact"))),
    "exact_per_neuron": Circuit(recurrent(lif(method="exact", parameters={
        "tau": {"uniform": ["8 ms", "12 ms"]}, "tau_g": "5 ms", "I": {"uniform": [1.05, 1.6]}}))),
    "exponential_euler": Circuit(recurrent(lif(method="exponential_euler"))),
    "rk2": Circuit(recurrent({**ADAPTIVE, "method": "rk2"})),
    "rk4": Circuit(recurrent({**CUBIC, "method": "rk4"})),
    "heun": Circuit(recurrent({**NOISE, "method": "heun"})),
    "refractory": Circuit(recurrent(REFRACTORY)),
    "refractory_per_neuron": Circuit(recurrent({**REFRACTORY, "refractory": "1 ms + 0.3 ms*i/10"})),
    "mostly_quiet": Circuit(
        recurrent(MOSTLY_QUIET, join("A", "A", connect={"indegree": 20}, parameters={"w": 0.4}), n=2300), silence_busy),
    "flag_in_threshold": Circuit(recurrent(FLAGGED, join("A", "A", on_spike="v += w"))),
    "noise": Circuit(recurrent(NOISE)),
    "random_threshold": Circuit(recurrent(lif(
        threshold="uniform_draw() < 10*Hz*dt*exp(v)", reset="v = 0.1*normal_draw()"))),
    "zero_delay": Circuit(recurrent(lif(), join("A", "A", delay="0 ms"))),
    "one_delay": Circuit(recurrent(lif(), join("A", "A", delay="1.5 ms", parameters={"w": 0.05}))),
    "long_delays": Circuit(recurrent(lif(), join("A", "A", delay={"exponential": "20 ms"}))),
    "several_onto_one": Circuit(two()),
    "two_rules": Circuit(recurrent(
        ADAPTIVE, projections={"a": join("A", "A"), "b": join("A", "A", on_spike="u += w")})),
    "gap": Circuit(recurrent(CELL, projections={}, continuous={"gap": GAP})),
    "gaps_and_graded": Circuit({
        "models": {"cell": CELL, "graded": GRADED},
        "populations": {"A": {"model": "cell", "n": 30}, "G": {"model": "graded", "n": 10}},
        "continuous": {
            "gap": GAP, "graded": {**GAP, "from": "G", "expression": "k*v_pre", "parameters": {"k": "5 pA"}},
        },
    }, cut_gap, Lesions(cut_later=frozenset({"gap"}))),
    "poisson": Circuit(sources("poisson_source"), rates),
    "spike_source": Circuit(sources("spike_source"), fire),
    "stdp": Circuit(recurrent(lif(), join("A", "A", **STDP))),
    "stdp_zero_delay": Circuit(recurrent(lif(), join("A", "A", **{**STDP, "delay": "0 ms"}))),
    "depression": Circuit(recurrent(lif(), join("A", "A", **STP))),
    "clock_driven_synapse": Circuit(recurrent(lif(), join("A", "A", **CLOCKED))),
    "drive": Circuit(recurrent(lif()), wave),
    "cut_later": Circuit(two(), cut_at_50, Lesions(cut_later=frozenset({"AB"}))),
    "transected_later": Circuit(along(), transect, Lesions(transect_later=True)),
    "transected": Circuit(along(), None, Lesions(transect=(4e-3,))),
    "silenced_later": Circuit(two(), silence),
    "stdp_cut_later": Circuit(
        recurrent(lif(), projections={"AB": join("A", "A", **WEAK), "AA": join("A", "A", **WEAK)}),
        cut_at_50, Lesions(cut_later=frozenset({"AB"}))),
    "no_edges": Circuit(two(), None, Lesions(cut=frozenset({"AB", "BA", "KA", "AK", "KB", "inhibition"}))),
    "functions": Circuit(every_function()),
    "one_neuron": Circuit(recurrent(lif(), join("A", "A", connect={"all_to_all": True}), n=1)),
}  # fmt: skip
