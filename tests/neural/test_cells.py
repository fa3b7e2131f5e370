"""Single cells against their analytic solutions."""

import math
from typing import Any

import numpy as np
import pytest

from tests.neural.helpers import play, start, trace

DT = 1e-4
TAU = 10e-3
LEAK = {"equations": "dv/dt = (I - v)/tau : 1\nI : 1", "parameters": {"tau": "10 ms"}, "initial": {"v": 1}}
LIF = {
    "equations": "dv/dt = (I - v)/tau : 1 (unless refractory)\nI : 1",
    "threshold": "v > 1",
    "reset": "v = 0",
    "refractory": "t_ref",
    "method": "exact",
    "parameters": {"tau": "10 ms", "t_ref": "2 ms"},
}


def test_exact_method_decays_exponentially(target: str) -> None:
    _, backend = start(
        target=target, models={"leak": {**LEAK, "method": "exact"}}, populations={"A": {"model": "leak", "n": 1}}
    )
    v = trace(backend, "A", "v", 1000)[:, 0]
    t = DT * np.arange(1, 1001)
    assert v == pytest.approx(np.exp(-t / TAU), rel=1e-12)  # a thousand factors, each rounded once


@pytest.mark.compiled
def test_euler_is_the_euler_recursion_to_the_bit(target: str) -> None:
    # fails if a compiler contracts or reorders: v + dt*(I - v)/tau, left to right
    _, backend = start(
        target=target, models={"leak": {**LEAK, "method": "euler"}}, populations={"A": {"model": "leak", "n": 1}}
    )
    v = trace(backend, "A", "v", 500)[:, 0]
    assert v == pytest.approx((1 - DT / TAU) ** np.arange(1, 501), rel=1e-12)
    x, expected = 1.0, []
    for _ in range(500):
        x = x + DT * (0.0 - x) / TAU
        expected.append(x)
    assert v.tolist() == expected


def test_a_midpoint_method_has_its_second_order_error(target: str) -> None:
    # one step of rk2 on a linear decay multiplies by 1 - h + h^2/2
    _, backend = start(
        target=target, models={"leak": {**LEAK, "method": "rk2"}}, populations={"A": {"model": "leak", "n": 1}}, dt=1e-3
    )
    h = 0.1
    assert trace(backend, "A", "v", 50)[:, 0] == pytest.approx((1 - h + h * h / 2) ** np.arange(1, 51), rel=1e-12)


def test_lif_fires_at_its_analytic_rate(target: str) -> None:
    # T = t_ref + tau ln(I/(I - 1)); with exact integration the first grid point after it, and nothing else
    currents = [1.05, 1.2, 1.5, 2.0, 3.0, 6.0]
    _, backend = start(target=target, models={"lif": LIF}, populations={"A": {"model": "lif", "n": len(currents) + 1}})
    backend.view("A", "I")[:] = [*currents, 0.999]
    spikes = play(backend, 6000)
    for neuron, current in enumerate(currents):
        intervals = np.diff(spikes[spikes[:, 1] == neuron, 0])
        charge = TAU * math.log(current / (current - 1))
        # free again at step 20 after the spike, which is already the first of the updates
        assert set(intervals.tolist()) == {20 + math.floor(charge / DT)}
        assert 1 / (intervals.mean() * DT) == pytest.approx(1 / (2e-3 + charge), rel=DT / (2e-3 + charge))
    assert not (spikes[:, 1] == len(currents)).any()  # below rheobase


@pytest.mark.compiled
@pytest.mark.parametrize(
    ("t_ref", "steps"), [("0.1 ms", 1), ("0.3 ms", 3), ("2.3 ms", 23), ("5 ms", 50), ("0.7*10 ms", 70)]
)
def test_refractory_time_is_exact_in_steps(target: str, t_ref: str, steps: int) -> None:
    # one update suffices to reach threshold, so the interval is the refractory time and nothing more, for 20 000 steps:
    # fails if t - lastspike is compared without tolerance and rounding of t adds or takes a step
    model = {**LIF, "equations": "dv/dt = 10/dt_ : 1 (unless refractory)", "method": "euler",
             "parameters": {"dt_": "0.1 ms", "t_ref": t_ref}}  # fmt: skip
    _, backend = start(
        target=target, models={"m": model}, populations={"A": {"model": "m", "n": 1}}, steps_per_tick=100
    )
    spikes = play(backend, 200)
    assert set(np.diff(spikes[:, 0]).tolist()) == {steps}


def test_refractory_time_may_differ_between_neurons(target: str) -> None:
    model = {**LIF, "equations": "dv/dt = 10/dt_ : 1 (unless refractory)", "method": "euler",
             "parameters": {"dt_": "0.1 ms", "t_ref": "1 ms + i*0.5 ms"}}  # fmt: skip
    _, backend = start(
        target=target, models={"m": model}, populations={"A": {"model": "m", "n": 4}}, steps_per_tick=100
    )
    spikes = play(backend, 10)
    for neuron in range(4):
        assert set(np.diff(spikes[spikes[:, 1] == neuron, 0]).tolist()) == {10 + 5 * neuron}


def test_variables_marked_so_are_frozen_while_refractory_and_others_not(target: str) -> None:
    model = {
        "equations": "dv/dt = 0/ms : 1 (unless refractory)\ndw/dt = -w/tau : 1 (unless refractory)\ndx/dt = -x/tau : 1",
        "threshold": "v > 1",
        "reset": "v = 0\nw += 1\nx += 1",
        "refractory": "5 ms",
        "method": "euler",
        "parameters": {"tau": "10 ms"},
        "initial": {"v": 2},
    }
    _, backend = start(target=target, models={"m": model}, populations={"A": {"model": "m", "n": 1}})
    w_view = backend.view("A", "w")
    x, w = [], []
    for _ in range(120):
        backend.advance()
        x.append(float(backend.view("A", "x")[0]))
        w.append(float(w_view[0]))
    # spike and reset in step 0; frozen in steps 1 to 49, the update of step 50 is the first
    assert w[:50] == [1.0] * 50
    assert w[50:] == pytest.approx((1 - DT / TAU) ** np.arange(1, 71), rel=1e-12)
    assert x == pytest.approx((1 - DT / TAU) ** np.arange(120), rel=1e-12)


def test_a_parameter_may_be_one_number_or_one_per_neuron(target: str) -> None:
    def decay(tau: Any) -> list[float]:
        model = {**LEAK, "method": "exact", "parameters": {"tau": tau}}
        _, backend = start(target=target, models={"leak": model}, populations={"A": {"model": "leak", "n": 3}})
        return [float(x) for x in trace(backend, "A", "v", 100)[-1]]

    assert decay("10 ms") == pytest.approx([math.exp(-1)] * 3, rel=1e-12)
    assert decay("10 ms*(1 + i)") == pytest.approx([math.exp(-1 / k) for k in (1, 2, 3)], rel=1e-12)


def test_two_populations_of_one_model_keep_their_own_parameters(target: str) -> None:
    populations = {"A": {"model": "leak", "n": 2}, "B": {"model": "leak", "n": 3, "parameters": {"tau": "20 ms"}}}
    _, backend = start(target=target, models={"leak": {**LEAK, "method": "exact"}}, populations=populations)
    for _ in range(100):
        backend.advance()
    assert backend.view("A", "v") == pytest.approx([math.exp(-1)] * 2, rel=1e-12)
    assert backend.view("B", "v") == pytest.approx([math.exp(-0.5)] * 3, rel=1e-12)


def test_the_step_count_is_time(target: str) -> None:
    # t is step * dt, not a sum of dt: after 30 000 steps it is still the nearest double
    model = {"equations": "dv/dt = 0/ms : 1\nx = t/second : 1", "method": "euler", "threshold": "x >= 3"}
    _, backend = start(
        target=target, models={"c": model}, populations={"A": {"model": "c", "n": 1}}, steps_per_tick=1000
    )
    assert play(backend, 31)[0, 0] == 30_000
