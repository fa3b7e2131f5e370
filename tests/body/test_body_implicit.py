"""Stiff joint torques: stable, equal to backward Euler, without error at rest, and independent of the step."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Make = Callable[..., Any]

# A rod about its end: I = m l^2 / 3, a box so thin that its breadth does not count (1e-6 of I).
ROD = """
parameters: {stiffness: 0 N*m/rad, damping: 0 N*m*s/rad, rest: 0 rad, start: 0 rad}
links:
  base: {fixed: true}
  rod: {shape: {box: {size: [100 mm, 0.1 mm, 0.1 mm]}}, at: [50 mm, 0, 0], mass: 3 g}
joints:
  hinge: {parent: base, child: rod, axis: [0, 1, 0], stiffness: stiffness, damping: damping, rest: rest}
initial: {joints: {hinge: start}}
"""
INERTIA = 3e-3 * (0.1**2 + 1e-8) / 12 + 3e-3 * 0.05**2
SPACE = {"gravity": 0}


@pytest.mark.parametrize(
    ("stiffness", "damping"),
    [(1e-3, 0.0), (1e-3, 1e-5), (1.0, 1e-3), (1.0, 1.0), (0.0, 10.0)],
    ids=["spring", "underdamped", "stiff", "overdamped", "damper"],
)
def test_one_joint_steps_as_backward_euler(make: Make, stiffness: float, damping: float) -> None:
    body = make(ROD, SPACE, stiffness=f"{stiffness} N*m/rad", damping=f"{damping} N*m*s/rad", start="0.5 rad")
    dt, q, v = 1e-3, 0.5, 0.0
    for tick in range(200):
        body.step(tick)
        v = (v - dt * stiffness / INERTIA * q) / (1 + dt * damping / INERTIA + dt**2 * stiffness / INERTIA)
        q += dt * v
        assert body.readings["joint_angle"][0] == pytest.approx(q, rel=1e-9, abs=1e-12)
        assert body.readings["joint_velocity"][0] == pytest.approx(v, rel=1e-8, abs=1e-10)


def test_underdamped_oscillation_converges_to_the_analytic_solution(make: Make) -> None:
    stiffness, damping, end = 1e-3, 1e-5, 0.5
    decay = damping / (2 * INERTIA)
    omega = math.sqrt(stiffness / INERTIA - decay**2)
    exact = 0.5 * math.exp(-decay * end) * (math.cos(omega * end) + decay / omega * math.sin(omega * end))
    errors = []
    for dt in (1e-3, 1e-4):
        body = make(ROD, SPACE, dt, stiffness="1e-3 N*m/rad", damping="1e-5 N*m*s/rad", start="0.5 rad")
        for tick in range(round(end / dt)):
            body.step(tick)
        errors.append(abs(body.q[0] - exact))
    assert errors[1] < errors[0] / 8  # first order: a tenth, less the second-order term
    assert errors[1] < 2e-3


def test_overdamped_joint_creeps_with_the_analytic_rate(make: Make) -> None:
    # damping rate D/I = 1e5 per second: an explicit step of 1 ms would diverge by a factor 99 a step
    body = make(ROD, SPACE, stiffness="1 N*m/rad", damping="1 N*m*s/rad", start="0.5 rad")
    for tick in range(1000):
        body.step(tick)
    assert body.q[0] == pytest.approx(0.5 * math.exp(-1.0), rel=1e-3)


@pytest.mark.parametrize("stiffness", [0.01, 1.0, 1000.0])
def test_a_loaded_spring_rests_exactly_where_torques_balance(make: Make, stiffness: float) -> None:
    body = make(
        ROD, {"gravity": "9.81 m/s^2"}, stiffness=f"{stiffness} N*m/rad", damping=f"{0.02 * stiffness} N*m*s/rad"
    )
    for tick in range(4000):
        body.step(tick)
    # the axis is +y, so a positive angle lowers the rod: K q = m g l/2 cos q
    q = body.readings["joint_angle"][0]
    load = 3e-3 * 9.81 * 0.05 * math.cos(q)
    assert stiffness * q == pytest.approx(load, rel=1e-9)
    assert body.readings["joint_torque"][0] == pytest.approx(-load, rel=1e-9)
    assert abs(body.readings["joint_velocity"][0]) < 1e-9


def test_a_held_joint_does_not_move_in_the_first_steps_under_load(make: Make) -> None:
    text = ROD.replace("rest: rest}", "rest: rest, position: {kp: 1000 N*m/rad, kd: 1 N*m*s/rad}}")
    body = make(text)
    sag = 3e-3 * 9.81 * 0.05 / 1000
    for tick in range(50):
        body.step(tick)
        assert 0 <= body.q[0] <= sag * (1 + 1e-6)


def test_stiff_muscle_torques_do_not_depend_on_the_step(make: Make, shipped: Make) -> None:
    """Damping rates of the salamander reach 32 000 per second; 1 ms and 0.05 ms agree within half a degree."""
    spec = shipped("salamander")
    lag = np.linspace(0.0, 0.87, 8)
    angles = []
    for dt, substeps in ((1e-3, 1), (5e-5, 20)):
        body = make(spec, {"water": {}}, dt, substeps)
        body.request({"joint_angle"})
        trace = []
        for tick in range(700):
            wave = 0.4 * min(tick / 300, 1.0) * np.sin(2 * np.pi * (3.17 * tick * 1e-3 - lag))
            body.commands["activation"][:8] = 1 - wave
            body.commands["activation"][8:] = 1 + wave
            body.step(tick)
            trace.append(body.readings["joint_angle"].copy())
        angles.append(np.degrees(trace))
    amplitude = [np.ptp(a[350:], axis=0) / 2 for a in angles]
    assert np.all(amplitude[1] > 5.0)
    assert np.abs(amplitude[0] - amplitude[1]).max() < 0.5


def test_max_torque_bounds_the_commanded_torque(make: Make) -> None:
    body = make(ROD.replace("rest: rest}", "rest: rest, max_torque: 1e-5 N*m}"), SPACE)
    body.commands["torque"][0] = 1.0
    for tick in range(10):
        body.step(tick)
    assert body.readings["joint_torque"][0] == pytest.approx(1e-5, rel=1e-12)
    assert body.readings["joint_velocity"][0] == pytest.approx(1e-5 / INERTIA * 0.01, rel=1e-9)


def test_position_control_reaches_a_target_and_nan_lets_go(make: Make) -> None:
    body = make(ROD.replace("rest: rest}", "rest: rest, position: {kp: 1 N*m/rad, kd: 1e-3 N*m*s/rad}}"), SPACE)
    body.commands["position"][0] = 0.3
    for tick in range(600):
        body.step(tick)
    assert body.readings["joint_angle"][0] == pytest.approx(0.3, abs=1e-9)
    body.commands["position"][0] = np.nan
    body.external["joint_torque"][0] = 1e-4
    for tick in range(600, 610):
        body.step(tick)
    assert body.readings["joint_velocity"][0] == pytest.approx(1e-4 / INERTIA * 0.01, rel=1e-6)
