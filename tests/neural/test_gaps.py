"""Gap junctions and graded projections against analytic solutions."""

from typing import Any

import numpy as np
import pytest

from tests.neural.helpers import start, trace

CELL = {
    "equations": "dv/dt = (g_L*(0*mV - v) + I_gap)/C : volt\nI_gap : amp",
    "method": "euler",
    "parameters": {"C": "100 pF", "g_L": "1 nS"},
    "initial": {"v": "10 mV*(1 - i)"},
}
GAP = {
    "from": "A",
    "to": "A",
    "connect": "all_to_all",
    "expression": "g*(v_pre - v_post)",
    "target": "I_gap",
    "parameters": {"g": "4 nS"},
}


def test_two_passive_cells_relax_with_the_analytic_time_constants(target: str) -> None:
    # sum decays with C/g_L = 100 ms, difference with C/(g_L + 2 g) = 100/9 ms
    dt = 1e-6
    _, backend = start(
        target=target, dt=dt, steps_per_tick=1000, models={"cell": CELL}, populations={"A": {"model": "cell", "n": 2}},
        continuous={"gap": GAP},
    )  # fmt: skip
    v = trace(backend, "A", "v", 30)
    t = 1e-3 * np.arange(1, 31)
    assert v.sum(axis=1) == pytest.approx(10e-3 * np.exp(-t / 100e-3), rel=1e-4)
    assert v[:, 0] - v[:, 1] == pytest.approx(10e-3 * np.exp(-t * 9 / 100e-3), rel=2e-3)
    # and without the error of the Euler method: its own recursion
    h = dt * 9 / 100e-3
    assert v[:, 0] - v[:, 1] == pytest.approx(10e-3 * (1 - h) ** (1000 * np.arange(1, 31)), rel=1e-9)


def driven(continuous: dict[str, Any], target: str) -> list[float]:
    """I_gap of two target cells after a step, from graded sources held at 2 and 3 mV."""
    source = {"equations": "dv/dt = 0*v/ms : volt", "method": "euler", "initial": {"v": "(2 + i)*1 mV"}}
    other = {**source, "initial": {"v": "5 mV"}}
    cell = {"equations": "dv/dt = I_gap/C : volt\nI_gap : amp", "method": "euler", "parameters": {"C": "1 nF"}}
    _, backend = start(
        target=target, models={"source": source, "other": other, "cell": cell}, continuous=continuous,
        populations={"S": {"model": "source", "n": 2}, "O": {"model": "other", "n": 1}, "T": {"model": "cell", "n": 2}},
    )  # fmt: skip
    v = trace(backend, "T", "v", 10)
    return [float(x) for x in v[-1] * 1e-9 / (10 * 1e-4)]  # the mean current


@pytest.mark.compiled
def test_two_continuous_projections_are_summed_into_one_variable(target: str) -> None:
    from_s = {
        "from": "S",
        "to": "T",
        "connect": "all_to_all",
        "expression": "g*v_pre",
        "target": "I_gap",
        "parameters": {"g": "1 nS"},
    }
    from_o = {**from_s, "from": "O", "expression": "2*g*v_pre", "parameters": {"g": "3 nS"}}
    alone = driven({"a": from_s}, target), driven({"b": from_o}, target)
    assert alone[0] == pytest.approx([5e-12] * 2, rel=1e-12)
    assert alone[1] == pytest.approx([30e-12] * 2, rel=1e-12)
    assert driven({"a": from_s, "b": from_o}, target) == pytest.approx([35e-12] * 2, rel=1e-12)


def test_projections_with_one_expression_share_an_object_and_add_up(target: str) -> None:
    one = {
        "from": "S",
        "to": "T",
        "connect": "one_to_one",
        "expression": "g*v_pre",
        "target": "I_gap",
        "parameters": {"g": "1 nS"},
    }
    assert driven({"a": one, "b": {**one, "parameters": {"g": "10 nS"}}}, target) == pytest.approx(
        [22e-12, 33e-12], rel=1e-12
    )


@pytest.mark.compiled
def test_a_silenced_graded_neuron_gives_nothing_and_gets_nothing(target: str) -> None:
    source = {"equations": "dv/dt = I/nF : volt\nI : amp", "method": "euler", "initial": {"v": "(2 + i)*1 mV"}}
    ends = {"from": "S", "connect": "all_to_all", "expression": "g*v_pre", "target": "I", "parameters": {"g": "1 nS"}}
    _, backend = start(
        target=target, models={"source": source},
        continuous={"out": {**ends, "to": "T"}, "back": {**ends, "from": "T", "to": "S"}},
        populations={"S": {"model": "source", "n": 2}, "T": {"model": "source", "n": 1, "initial": {"v": "7 mV"}}},
    )  # fmt: skip

    def every(tick: int) -> None:
        if tick == 5:
            backend.silence("S", np.array([0]))

    source_v, target_v = trace(backend, "S", "v", 10, every), backend.view("T", "v")
    assert (source_v[:5, 0] != 2e-3).any() and (source_v[5:, 0] == source_v[4, 0]).all()
    assert (np.diff(source_v[:, 1]) > 0).all()
    before = float(target_v[0])
    backend.advance()
    dt, other = 1e-4, source_v[-1, 1]
    assert float(target_v[0]) - before == pytest.approx(dt / 1e-9 * 1e-9 * other, rel=1e-9)
