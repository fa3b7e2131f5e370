"""Spikes arrive when they should, add up, and change what the rules say."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.neural.common import ArrayBackend
from tests.neural.helpers import COUNTER, Every, both, fire_at, play, same_state, start, trace

SOURCE = {"model": "spike_source", "n": 1}
MODELS = {"counter": COUNTER}


def relay(projections: dict[str, Any], **more: Any) -> dict[str, Any]:
    """Spike sources A and B, and a target T that counts weights."""
    populations = {
        "A": {"model": "spike_source", "n": 4},
        "B": {"model": "spike_source", "n": 4},
        "T": {"model": "counter", "n": 4},
    }
    return {"models": MODELS, "populations": populations, "projections": projections, **more}


def edge(source: str = "A", **more: Any) -> dict[str, Any]:
    """One-to-one onto T."""
    rule = {"on_spike": "g += w", "parameters": {"w": 1}, "connect": "one_to_one"}
    return {"from": source, "to": "T", **rule, **more}


def test_a_source_fires_once_in_the_step_in_which_it_is_told(target: str) -> None:
    _, backend = start(target=target, models=MODELS, populations={"A": {"model": "spike_source", "n": 3}})
    spikes = play(backend, 10, fire_at(backend, "A", {2: [0], 5: [1, 2], 6: [1]}))
    assert spikes.tolist() == [[2, 0], [5, 1], [5, 2], [6, 1]]


def test_a_spike_arrives_after_its_own_delay_to_the_step(target: str, tmp_path: Path) -> None:
    # heterogeneous delays, zero among them: fails if a delay is off by one or taken from another edge
    delays = [0, 1, 7, 30]
    rows = "".join(f"{i},{i},{2.0**i},{d * 0.1}\n" for i, d in enumerate(delays))
    (tmp_path / "edges.csv").write_text("pre,post,w,delay [ms]\n" + rows)
    document = relay({"P": edge(connect={"table": "edges.csv"}, parameters={})}, folder=tmp_path)
    _, backend = start(target=target, **document)
    g = trace(backend, "T", "g", 60, fire_at(backend, "A", {4: [0, 1, 2, 3], 9: [3]}))
    for i, delay in enumerate(delays):
        arrivals = np.flatnonzero(np.diff(g[:, i], prepend=0.0))
        assert arrivals.tolist() == [4 + delay] + ([9 + delay] if i == 3 else [])
    assert g[-1].tolist() == [1.0, 2.0, 4.0, 16.0]


@pytest.mark.parametrize("delay", ["0 ms", "0.1 ms", "2 ms"])
def test_one_delay_for_all_is_exact_too(target: str, delay: str) -> None:
    _, backend = start(target=target, **relay({"P": edge(delay=delay)}))
    g = trace(backend, "T", "g", 40, fire_at(backend, "A", {3: [1]}))
    assert int(np.flatnonzero(g[:, 1])[0]) == 3 + round(float(delay.split()[0]) / 0.1)


def test_a_target_reached_in_a_step_spikes_in_the_next(target: str) -> None:
    # synapses come after thresholds within a step: a chain without delays moves one cell a step
    model = {"equations": "dv/dt = 0*v/ms : 1", "threshold": "v > 0.5", "reset": "v = 0", "method": "euler"}
    ends = ("SA", "AB")
    _, backend = start(
        target=target, models={"relay": model},
        populations={"S": SOURCE, "A": {"model": "relay", "n": 1}, "B": {"model": "relay", "n": 1}},
        projections={a + b: {"from": a, "to": b, "connect": "one_to_one", "on_spike": "v += 1"} for a, b in ends},
    )  # fmt: skip
    assert play(backend, 10, fire_at(backend, "S", {2: [0]})).tolist() == [[2, 0], [3, 1], [4, 2]]


def test_several_projections_add_up_in_one_variable(target: str) -> None:
    projections = {
        "P": edge(parameters={"w": 0.5}),
        "Q": edge("B", parameters={"w": 0.25}),
        "R": edge("B", parameters={"w": 4}, delay="0.3 ms"),
    }
    _, backend = start(target=target, **relay(projections))
    g = trace(backend, "T", "g", 8, _volley(backend))
    assert g[:, 0].tolist() == [0, 0.75, 0.75, 0.75, 4.75, 4.75, 4.75, 4.75]
    assert not g[:, 1:].any()


def _volley(backend: ArrayBackend) -> Every:
    """Neuron 0 of A and of B in step 1."""
    return both(*(fire_at(backend, name, {1: [0]}) for name in "AB"))


@pytest.mark.brian_objects
def test_merging_projections_of_one_rule_changes_nothing(target: str) -> None:
    # P and Q share a rule and so one object; a comment in the text makes them two rules. Dyadic weights add exactly.
    document = relay({}, seed=4)
    for name in "ABT":
        document["populations"][name] = {**document["populations"][name], "n": 40}
    random = {"connect": {"probability": 0.3}, "delay": {"uniform": ["0 ms", "2 ms"]}, "parameters": {"w": 0.125}}

    def final(comment: str) -> tuple[int, Any]:
        document["projections"] = {"P": edge(**random), "Q": edge("B", **{**random, "on_spike": "g += w" + comment})}
        _, backend = start(target=target, **document)
        draws = np.random.default_rng(0).integers(0, 40, (50, 2))
        a = fire_at(backend, "A", {k: [int(i)] for k, (i, _) in enumerate(draws)})
        b = fire_at(backend, "B", {k: [int(j)] for k, (_, j) in enumerate(draws)})
        play(backend, 80, both(a, b))
        return len(backend._emitted.synapses), backend

    merged, separate = final(""), final("  # the same")
    assert (merged[0], separate[0]) == (1, 2)
    assert same_state(merged[1], separate[1])
    assert merged[1].view("T", "g").sum() > 0


def test_spikes_to_refractory_targets_are_dropped_where_the_rule_says_so(target: str) -> None:
    model = {
        "equations": "dv/dt = 0*v/ms : 1\ndg/dt = 0*g/ms : 1\ndh/dt = 0*h/ms : 1",
        "threshold": "v > 0.5", "reset": "v = 0", "refractory": "1 ms", "method": "euler",
    }  # fmt: skip
    populations = {"S": SOURCE, "A": SOURCE, "T": {"model": "m", "n": 1}}
    projections = {
        "start": {"from": "S", "to": "T", "on_spike": "v += 1", "connect": "one_to_one"},
        "P": {"from": "A", "to": "T", "on_spike": "g += int(not_refractory)\nh += 1", "connect": "one_to_one"},
    }
    _, backend = start(target=target, models={"m": model}, populations=populations, projections=projections)
    s, a = fire_at(backend, "S", {10: [0]}), fire_at(backend, "A", {k: [0] for k in range(30)})
    g = trace(backend, "T", "g", 30, both(s, a))
    h = backend.view("T", "h")
    # its volley arrives in step 10, T spikes in step 11, is refractory until step 20 and takes spikes again from 21 on
    taken = np.diff(g[:, 0], prepend=0.0).astype(bool)
    assert np.flatnonzero(~taken).tolist() == list(range(11, 21))
    assert h[0] == 30


@pytest.mark.compiled
def test_pair_stdp_against_the_hand_computation(target: str) -> None:
    tau, a_plus, a_minus = 20e-3, 0.01, -0.012
    rule = {
        "equations": "s : 1\ndapre/dt = -apre/tau : 1 (event-driven)\ndapost/dt = -apost/tau : 1 (event-driven)",
        "on_spike": "g_post += s\napre += a_plus\ns = clip(s + apost, 0, 1)",
        "on_post": "apost += a_minus\ns = clip(s + apre, 0, 1)",
        "parameters": {"tau": "20 ms", "a_plus": a_plus, "a_minus": a_minus},
        "initial": {"s": 0.5},
    }
    target_cell = {
        "equations": "dg/dt = 0*g/ms : 1\nfire : 1",
        "threshold": "fire > 0",
        "reset": "fire = 0",
        "method": "euler",
    }
    _, backend = start(
        target=target, dt=1e-3, models={"m": target_cell}, populations={"A": SOURCE, "T": {"model": "m", "n": 1}},
        projections={"P": {"from": "A", "to": "T", "connect": "one_to_one", **rule}},
    )  # fmt: skip
    # every spike of the source delivers the weight as it is then; the last one reads out what the others left
    pre, post = [10, 30, 31, 70, 90], [15, 28, 60]
    a, t = fire_at(backend, "A", {k: [0] for k in pre}), fire_at(backend, "T", {k: [0] for k in post})
    g = trace(backend, "T", "g", 100, both(a, t))
    s, apre, apost, last = 0.5, 0.0, 0.0, 0
    expected = []
    for time in sorted(pre + post):
        decay = np.exp(-(time - last) * 1e-3 / tau)
        apre, apost, last = apre * decay, apost * decay, time
        if time in pre:
            expected.append(s)
            apre += a_plus
            s = min(max(s + apost, 0), 1)
        else:
            apost += a_minus
            s = min(max(s + apre, 0), 1)
    assert np.diff(g[:, 0], prepend=0.0)[pre] == pytest.approx(expected, rel=1e-12)


def test_short_term_depression_and_facilitation_against_the_recursion(target: str) -> None:
    # Tsodyks & Markram (1997): u rises by U(1 - u), then u x of the resources x is used; both relax between spikes
    use, tau_f, tau_d = 0.3, 50e-3, 200e-3
    rule = {
        "equations": "du/dt = -u/tau_f : 1 (event-driven)\ndx/dt = (1 - x)/tau_d : 1 (event-driven)",
        "on_spike": "u += use*(1 - u)\ng_post += w*u*x\nx -= u*x",
        "parameters": {"use": use, "tau_f": "50 ms", "tau_d": "200 ms", "w": 2},
        "initial": {"x": 1},
    }
    _, backend = start(
        target=target, dt=1e-3, models=MODELS, populations={"A": SOURCE, "T": {"model": "counter", "n": 1}},
        projections={"P": {"from": "A", "to": "T", "connect": "one_to_one", **rule}},
    )  # fmt: skip
    times = [5, 15, 18, 40, 140]
    g = trace(backend, "T", "g", 150, fire_at(backend, "A", {k: [0] for k in times}))
    u, x, last, expected = 0.0, 1.0, 0, []
    for time in times:
        gap = (time - last) * 1e-3
        u, x, last = u * np.exp(-gap / tau_f), 1 - (1 - x) * np.exp(-gap / tau_d), time
        u += use * (1 - u)
        expected.append(2 * u * x)
        x -= u * x
    assert np.diff(g[:, 0], prepend=0.0)[times] == pytest.approx(expected, rel=1e-12)


@pytest.mark.brian_objects
def test_initial_values_of_synapses_are_set_per_projection_of_a_merged_object(target: str) -> None:
    rule = {"equations": "s : 1", "on_spike": "g += s", "parameters": {}}
    _, backend = start(
        target=target, **relay({"P": edge(**rule, initial={"s": 2}), "Q": edge("B", **rule, initial={"s": 8})})
    )
    g = trace(backend, "T", "g", 4, _volley(backend))
    assert len(backend._emitted.synapses) == 1
    assert g[-1, 0] == 10


def test_a_projection_without_edges_is_silent(target: str) -> None:
    _, backend = start(target=target, **relay({"P": edge(connect={"probability": 0})}))
    assert not trace(backend, "T", "g", 5, fire_at(backend, "A", {1: [0]})).any()
