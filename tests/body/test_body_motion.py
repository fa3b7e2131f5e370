"""Free dynamics, water and ground against closed formulae, at 10 cm and at 1 mm body length."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

Make = Callable[..., Any]
SPACE = {"gravity": 0}

# 10 cm with .3 g, and 1 mm with 1e-9 kg
SCALES = pytest.mark.parametrize(("length", "mass"), [(0.1, 3e-4), (1e-3, 1e-9)], ids=["10cm", "1mm"])

BALL = """
parameters: {size: 10 cm, mass: 0.3 g, drag: 0 kg/m, linear: 0 kg/s, height: 1 cm}
length: size
links: {ball: {shape: {sphere: {radius: size/2}}, mass: mass}}
fluid:
  drag: {ball: {quadratic: [drag, 2*drag, drag], linear: [linear, linear, linear]}}
"""

PENDULUM = """
parameters: {size: 10 cm, mass: 0.3 g}
length: size
links:
  base: {fixed: true}
  bob: {shape: {sphere: {radius: size/100}}, at: [0, 0, -size], mass: mass}
joints: {pivot: {parent: base, child: bob, axis: [0, 1, 0]}}
initial: {joints: {pivot: 0.1 rad}}
"""


def sizes(length: float, mass: float) -> dict[str, str]:
    return {"size": f"{length} m", "mass": f"{mass} kg"}


@SCALES
def test_pendulum_period(make: Make, length: float, mass: float) -> None:
    inertia = mass * length**2 * (1 + 0.4 * 0.01**2)
    small = 2 * math.pi * math.sqrt(inertia / (mass * 9.81 * length))
    exact = small * (1 + 0.1**2 / 16 + 11 * 0.1**4 / 3072)  # the amplitude's part, textbook series
    dt = exact / 5000
    body = make(PENDULUM, dt=dt, **sizes(length, mass))
    crossings, before = [], body.q[0]
    for tick in range(5 * 5000 + 2000):
        body.step(tick)
        after = body.q[0]
        if before > 0 >= after:
            crossings.append((tick + before / (before - after)) * dt)
        before = after
    assert np.diff(crossings) == pytest.approx(exact, rel=2e-6)


@SCALES
def test_free_fall_adds_up_as_speed_then_position(make: Make, length: float, mass: float) -> None:
    body = make(BALL, **sizes(length, mass))
    n, dt = 200, 1e-3
    for tick in range(n):
        body.step(tick)
    assert body.readings["com_position"][0, 2] == pytest.approx(-9.81 * dt**2 * n * (n + 1) / 2, rel=1e-9)
    assert body.readings["com_velocity"][0, 2] == pytest.approx(-9.81 * n * dt, rel=1e-9)


@SCALES
def test_terminal_velocity(make: Make, length: float, mass: float) -> None:
    drag = mass / length
    spec = sizes(length, mass) | {"drag": f"{drag} kg/m"}
    body = make(BALL, {"water": {"surface": "1000 m"}}, dt=1e-3 * math.sqrt(length / 0.1), **spec)
    for tick in range(4000):
        body.step(tick)
    assert body.readings["link_velocity"][0, 2] == pytest.approx(-math.sqrt(mass * 9.81 / drag), rel=1e-6)
    # the water brakes with the whole weight, so its work is the height lost times the weight, less the kinetic energy
    kinetic = body.energy()["kinetic"]
    lost = -mass * 9.81 * body.readings["com_position"][0, 2]
    assert body.work["fluid"] == pytest.approx(kinetic - lost, rel=5e-3)


def test_linear_drag_decays_exponentially_along_each_axis(make: Make) -> None:
    spec = BALL + "initial: {velocity: [1 m/s, -2 m/s, 0.5 m/s]}"
    body = make(spec, SPACE | {"water": {"surface": "10 m"}}, dt=1e-4, linear="3e-3 kg/s")
    for tick in range(2000):
        body.step(tick)
    factor = (1 - 3e-3 / 3e-4 * 1e-4) ** 2000  # explicit steps of dv/dt = -10 v
    assert body.readings["com_velocity"][0] == pytest.approx(np.array([1, -2, 0.5]) * factor, rel=1e-6)


def test_quadratic_drag_acts_along_the_links_own_axes(make: Make) -> None:
    turned = BALL + "initial: {rpy: [0, 0, 90 deg], velocity: [1 m/s, 0, 0]}"
    for text, drag in ((BALL + "initial: {velocity: [1 m/s, 0, 0]}", 1e-3), (turned, 2e-3)):
        body = make(text, SPACE | {"water": {"surface": "10 m"}}, drag="1e-3 kg/m")
        v = 1.0
        for tick in range(100):
            body.step(tick)
            v -= 1e-3 * drag / 3e-4 * v * v  # dv/dt = -(c/m) v^2; turned, x in the world is the link's y
        assert body.readings["com_velocity"][0] == pytest.approx([v, 0, 0], rel=1e-9, abs=1e-12)


def test_a_current_carries_a_body_along(make: Make) -> None:
    world = SPACE | {"water": {"surface": "10 m", "current": ["0.2 m/s", 0, "-0.1 m/s"]}}
    body = make(BALL, world, linear="3e-2 kg/s")
    for tick in range(500):
        body.step(tick)
    assert body.readings["com_velocity"][0] == pytest.approx([0.2, 0, -0.1], rel=1e-9)


def test_buoyancy_floats_a_body_at_its_density(make: Make) -> None:
    text = BALL + "  buoyancy: {density: 800 kg/m^3, height: 1 cm}\n"
    body = make(text, {"water": {}}, linear="1e-2 kg/s")
    for tick in range(4000):
        body.step(tick)
    assert body.readings["com_position"][0, 2] == pytest.approx(-0.8 * 0.01, rel=1e-6)


def test_nothing_acts_above_the_surface(make: Make) -> None:
    text = BALL + "  buoyancy: {density: 800 kg/m^3, height: 1 cm}\ninitial: {at: [0, 0, 1 m]}\n"
    body = make(text, {"water": {}}, drag="1 kg/m")
    for tick in range(100):
        body.step(tick)
    assert body.readings["com_velocity"][0, 2] == pytest.approx(-9.81 * 0.1, rel=1e-9)
    assert body.work["fluid"] == 0.0


def test_drag_beside_the_centre_of_mass_turns_a_link(make: Make) -> None:
    """A drag point at arm r ahead of the motion's side: torque r x F on a body at rest in a current."""
    text = BALL.replace("linear, linear, linear]", "linear, linear, linear], at: [0, 2 cm, 0]")
    body = make(text, SPACE | {"water": {"surface": "10 m", "current": ["1 m/s", 0, 0]}}, dt=1e-5, linear="1e-3 kg/s")
    body.step(0)
    inertia = 0.4 * 3e-4 * 0.05**2
    assert body.readings["com_velocity"][0, 0] == pytest.approx(1e-3 * 1e-5 / 3e-4, rel=1e-9)
    assert body.readings["link_angular_velocity"][0, 2] == pytest.approx(-0.02 * 1e-3 * 1e-5 / inertia, rel=1e-9)


def drift(make: Make, shipped: Make, dt: float, substeps: int) -> float:
    """Momentum (kg m/s) after 0.2 s of swimming without water."""
    body = make(shipped("salamander"), SPACE, dt, substeps)
    body.request(set())
    for tick in range(200):
        wave = 0.4 * np.sin(2 * np.pi * (3.17 * tick * 1e-3 - np.linspace(0, 0.87, 8)))
        body.commands["activation"][:8], body.commands["activation"][8:] = 1 - wave, 1 + wave
        body.step(tick)
    assert body.energy()["kinetic"] > 1e-6
    return float(np.linalg.norm(body.momentum()[:3]))


def test_muscles_alone_move_no_momentum(make: Make, shipped: Make) -> None:
    """Bullet's step conserves momentum to first order in dt: what is left halves with the step."""
    coarse, fine = drift(make, shipped, 1e-4, 10), drift(make, shipped, 5e-5, 20)
    assert coarse / fine == pytest.approx(2.0, rel=0.05)
    # against the momentum of the body at the animal's speed, 7 cm/s
    assert fine < 0.003 * 3e-3 * 0.07


def test_a_link_force_accelerates_the_whole_body(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"), SPACE, 1e-4, 10)
    body.external["link_force"][4] = [0.0, 1e-4, 0.0]
    for tick in range(20):
        body.step(tick)
    assert body.momentum()[:3] == pytest.approx([0, 2e-6, 0], rel=1e-2, abs=2e-9)
    body.external["link_force"][:] = 0.0
    before = body.momentum()
    for tick in range(20, 40):
        body.step(tick)
    assert body.momentum()[:3] == pytest.approx(before[:3], rel=1e-2, abs=2e-9)


GROUND = """
parameters: {size: 10 cm, mass: 0.3 g, start: 10 cm, speed: 0 m/s}
length: size
links: {block: {shape: {box: {size: [size, size, size/5]}}, mass: mass}}
initial: {at: [0, 0, start], velocity: [speed, 0, 0]}
"""


@SCALES
def test_a_block_at_rest_is_carried_by_its_weight(make: Make, length: float, mass: float) -> None:
    body = make(GROUND, {"ground": "plane"}, start=f"{length * 0.1001} m", **sizes(length, mass))
    for tick in range(500):
        body.step(tick)
    assert body.readings["contact_force"][0] == pytest.approx([0, 0, mass * 9.81], rel=1e-3, abs=1e-5 * mass * 9.81)
    assert body.readings["link_position"][0, 2] == pytest.approx(length / 10, rel=2e-3)


def test_a_sliding_block_is_braked_by_friction(make: Make) -> None:
    body = make(GROUND, {"ground": {"plane": {"friction": 0.4}}}, start="1 cm", speed="1 m/s")
    impulse = np.zeros(3)
    for tick in range(100):
        body.step(tick)
        impulse += body.readings["contact_force"][0] * 1e-3
    velocity = body.readings["com_velocity"][0]
    assert velocity[0] == pytest.approx(1 - 0.4 * 9.81 * 0.1, rel=0.02)
    # the contact sensor accounts for every change of momentum that gravity does not
    assert impulse == pytest.approx(3e-4 * (velocity - [1, 0, -9.81 * 0.1]), rel=1e-6, abs=1e-10)


def test_joint_limits_hold(make: Make) -> None:
    text = PENDULUM.replace("axis: [0, 1, 0]}", "axis: [0, 1, 0], limits: [-30 deg, 60 deg], damping: 1e-6 N*m*s/rad}")
    body = make(text)
    for torque, limit in ((1e-3, 60), (-1e-3, -30)):
        body.external["joint_torque"][0] = torque
        for tick in range(1000):
            body.step(tick)
        assert math.degrees(body.readings["joint_angle"][0]) == pytest.approx(limit, abs=0.1)


def test_dry_friction_holds_a_joint_up_to_its_bound(make: Make) -> None:
    text = PENDULUM.replace("axis: [0, 1, 0]}", "axis: [0, 1, 0], friction: 1e-3 N*m}")
    body = make(text, SPACE)
    body.external["joint_torque"][0] = 0.9e-3
    for tick in range(100):
        body.step(tick)
    assert body.readings["joint_angle"][0] == pytest.approx(0.1, abs=1e-6)
    body.external["joint_torque"][0] = 2e-3
    for tick in range(10):
        body.step(tick)
    inertia = 3e-4 * 0.1**2 * (1 + 0.4 * 0.01**2)
    assert body.readings["joint_velocity"][0] == pytest.approx(1e-3 / inertia * 0.01, rel=1e-3)


def test_a_slider_on_a_spring_oscillates_with_its_mass(make: Make) -> None:
    text = """
    links:
      base: {fixed: true}
      cart: {shape: {sphere: {radius: 1 mm}}, mass: 2 g}
    joints: {rail: {kind: slider, parent: base, child: cart, axis: [1, 0, 0], stiffness: 0.8 N/m}}
    initial: {sliders: {rail: 1 cm}}
    """
    body = make(text, dt=1e-4)
    assert body.sensors["slider_position"].labels == ("rail",)
    period = 2 * math.pi * math.sqrt(2e-3 / 0.8)
    for tick in range(round(period / 2 / 1e-4)):
        body.step(tick)
    assert body.readings["slider_position"][0] == pytest.approx(-0.01, rel=0.005)  # damped a little by backward Euler
