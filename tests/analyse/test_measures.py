"""From a written result to metrics, through the registry."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cosim.analyse.measures import measure, options_of
from cosim.analyse.options import MeasureSpec
from cosim.errors import UserError
from cosim.record import Result

AMPLITUDES = [10.8, 13.4, 13.0, 12.8, 23.2, 31.8, 28.0, 34.0]
MASS = 2.8315e-3


def test_swim_gives_the_six_metrics_of_the_swimmer(swimmer: Result) -> None:
    metrics = measure(swimmer, {"swim": {}}, transient=1.0)
    assert list(metrics) == [
        "frequency",
        "wave_number",
        "joint_amplitude",
        "speed",
        "tail_beat",
        "cost_of_transport",
    ]
    assert metrics["frequency"] == pytest.approx(3.2, abs=1e-3)
    assert metrics["wave_number"] == pytest.approx(0.84, abs=1e-4)
    np.testing.assert_allclose(metrics["joint_amplitude"], AMPLITUDES, rtol=1e-4)
    assert metrics["speed"] == pytest.approx(0.7, rel=1e-4)
    assert metrics["tail_beat"] == pytest.approx(0.15, rel=1e-3)
    # torque = c dq with c = 1e-6: mean power of a joint c (A omega)^2 / 2, over 0.07 m/s
    power = 1e-6 * ((np.radians(AMPLITUDES) * 2 * np.pi * 3.2) ** 2).sum() / 2
    assert metrics["cost_of_transport"] == pytest.approx(power / (MASS * 0.07), rel=1e-3)


def test_swim_of_chosen_joints_from_the_tail_on(swimmer: Result) -> None:
    metrics = measure(swimmer, {"swim": {"joints": ["joint_8", "joint_7"]}}, transient=1.0)
    assert metrics["wave_number"] == pytest.approx(-0.84 / 7, abs=1e-4)
    np.testing.assert_allclose(metrics["joint_amplitude"], [34.0, 28.0], rtol=1e-4)


def test_rhythm_of_the_population(swimmer: Result) -> None:
    metrics = measure(swimmer, {"rhythm": {"population": "EX"}}, transient=1.0)
    assert metrics["neural_frequency"] == pytest.approx(3.2, abs=0.01)
    assert metrics["frequency"] == metrics["neural_frequency"]
    assert metrics["left_right_phase"] == pytest.approx(0.5, abs=0.01)
    assert metrics["neural_wave_number"] == pytest.approx(1.1, abs=0.02)
    assert 1.5 < float(str(metrics["ptcc"])) <= 2.0


def test_the_body_decides_the_frequency_when_both_are_measured(write: Callable[..., Result]) -> None:
    result = write("both", seconds=3.0)
    both = measure(result, {"rhythm": {"population": "EX"}, "swim": {}}, transient=0.5)
    assert both["frequency"] == measure(result, {"swim": {}}, transient=0.5)["frequency"]
    assert both["frequency"] != both["neural_frequency"]


def test_rates_are_of_the_populations_that_spike(swimmer: Result) -> None:
    metrics = measure(swimmer, {"rates": None}, transient=1.0)
    assert list(metrics) == ["rate_EX"]
    # probability 0.1 max(0, cos) a tick of 1 ms: 100/pi Hz, from 100 000 / pi spikes
    assert metrics["rate_EX"] == pytest.approx(100 / np.pi, rel=0.01)


def test_rates_of_some_neurons_and_how_many_are_active(swimmer: Result) -> None:
    times, ids = swimmer.spikes("EX")
    late = times >= 1.0
    metrics = measure(swimmer, {"rates": {"of": {"two": {"population": "EX", "neurons": [3, 0]}}, "active": True}}, 1.0)
    assert list(metrics) == ["rate_EX", "active_EX", "rate_two"]
    assert metrics["rate_two"] == np.isin(ids[late], [0, 3]).sum() / (2 * (swimmer.duration - 1.0))
    assert metrics["active_EX"] == len(set(ids[late].tolist()))
    with pytest.raises(UserError, match="no neuron 100000"):
        measure(swimmer, {"rates": {"of": {"x": {"population": "EX", "neurons": 100_000}}}})
    with pytest.raises(UserError, match="no cell AVAL"):
        measure(swimmer, {"rates": {"of": {"x": {"population": "EX", "cells": "AVAL"}}}})


def test_latency_from_the_named_perturbation(swimmer: Result) -> None:
    options = {"channel": "wires/motor/delivered", "perturbation": "tap"}
    # the wire steps in the first tick whose end is past 2.0305 s: the tick that begins at 2.030 s
    assert measure(swimmer, {"latency": options})["latency"] == pytest.approx(0.030, abs=1e-9)
    several = {"channel": ["wires/motor/delivered", "state/MC/v"], "at": "2 s"}
    found = measure(swimmer, {"latency": several}, transient=1.0)
    assert found["latency_wires_motor_delivered"] == pytest.approx(0.030, abs=1e-9)
    assert np.isnan(found["latency_state_MC_v"])


def test_locking_of_trunk_and_tail(swimmer: Result) -> None:
    metrics = measure(swimmer, {"locking": {"trunk": "joint_3", "tail": "joint_8"}}, transient=1.0)
    assert metrics["locked"] == 1.0
    assert metrics["locking_resultant"] == pytest.approx(1.0, abs=1e-4)
    assert metrics["locking_phase"] == pytest.approx(0.84 * 5 / 7, abs=1e-3)


def test_a_body_at_rest_has_no_swim(write: Callable[..., Result]) -> None:
    metrics = measure(
        write("rest", frequency=0.0, speed=0.0, seconds=2.0), {"swim": {}, "rhythm": {"population": "EX"}}
    )
    for name in ("frequency", "wave_number", "speed", "tail_beat", "cost_of_transport", "left_right_phase"):
        assert np.isnan(metrics[name]), name
    assert np.isnan(metrics["joint_amplitude"]).all()


def test_a_killed_run_is_measured_up_to_its_last_flush(write: Callable[..., Result]) -> None:
    result = write("killed", status="running", seconds=2.5)
    assert not result.complete
    assert measure(result, {"swim": None}, transient=0.5)["frequency"] == pytest.approx(3.2, abs=0.01)


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"swimm": {}}, "no measurement swimm; there are swim, rhythm, rates, latency, locking"),
        ({"swim": {"joint": ["a"]}}, "measure.swim.joint: Extra inputs"),
        ({"swim": {"joints": ["neck"]}}, "body/joint_angle has no neck; it has joint_1"),
        ({"swim": {"tip": "fin"}}, "no recorded site or link fin"),
        ({"swim": {"axis": ["head", "tail"]}}, "link head of the body's axis was not recorded"),
        ({"rhythm": {"population": "IN"}}, "no population IN; there are EX, MC"),
        ({"rhythm": {"population": "EX", "sides": ["left", "up"]}}, "has no side up; it has left, right"),
        ({"rhythm": {}}, "measure.rhythm.population: Field required"),
        ({"latency": {"channel": "wires/motor/delivered"}}, "exactly one of perturbation and at"),
        (
            {"latency": {"channel": "wires/motor/delivered", "perturbation": "kick"}},
            "no perturbation kick; there are tap",
        ),
        ({"latency": {"channel": "wires/skin/sent", "at": "1 s"}}, "wires/skin/sent was not recorded"),
        ({"rates": {"populations": ["PS"]}}, "no population PS"),
        ({"swim": {"lowest": "3 Hz", "highest": "2 Hz"}}, "lowest must be below highest"),
    ],
)
def test_mistakes_end_in_one_clear_line(swimmer: Result, kinds: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        measure(swimmer, kinds)
    assert message in str(caught.value)


def test_a_transient_longer_than_the_record_is_refused(swimmer: Result) -> None:
    with pytest.raises(UserError, match="nothing to measure: 5 s were recorded, the transient is 6 s"):
        measure(swimmer, {"rates": {}}, transient=6.0)


def test_measure_of_an_experiment_document(swimmer: Result) -> None:
    spec = MeasureSpec.model_validate({"swim": None, "rhythm": {"population": "EX", "smooth": "10 ms"}, "rates": {}})
    # through the JSON of a manifest, where quantities are SI floats
    stored = json.loads(json.dumps(spec.model_dump(exclude_none=True)))
    assert options_of("rhythm", stored["rhythm"]) == spec.rhythm
    assert measure(swimmer, stored, 1.0) == measure(swimmer, spec.chosen(), 1.0)
    chosen = spec.chosen()
    assert list(chosen) == ["swim", "rhythm", "rates"]
    assert measure(swimmer, chosen, 1.0)["speed"] == pytest.approx(0.7, rel=1e-4)
