"""The salamander in water: energy balance, replay of the animal, bits, and blow-ups."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.errors import SimulationError

Make = Callable[..., Any]
FREQUENCY = 3.17
TABLE = Path(__file__).parents[2] / "bodies" / "salamander" / "animal_swimming.csv"


def animal_angles(phase: np.ndarray) -> np.ndarray:
    """Joint angles (len(phase), 8), rad, from the shipped Fourier coefficients, at `phase` in cycles."""
    rows = [line.split(",")[1:] for line in TABLE.read_text().splitlines() if line.startswith("joint_")]
    table = np.array(rows, dtype=np.float64)
    basis = [np.ones_like(phase)]
    for k in (1, 2, 3):
        basis += [np.cos(2 * np.pi * k * phase), np.sin(2 * np.pi * k * phase)]
    return np.radians(np.array(basis).T @ table.T)


def swim(body: Any, ticks: int, ramp: int = 300) -> None:
    """A travelling wave of muscle activation, from rest."""
    lag = np.linspace(0.0, 0.87, 8)
    left, right = body.commands["activation"][:8], body.commands["activation"][8:]
    for tick in range(ticks):
        wave = 0.4 * min(tick / ramp, 1.0) * np.sin(2 * np.pi * (FREQUENCY * tick * 1e-3 - lag))
        left[:], right[:] = 1 - wave, 1 + wave
        body.step(tick)


def test_work_and_energy_balance_over_ten_cycles(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"), {"water": {}})
    body.request(set())
    before = body.energy()
    swim(body, round(10 / FREQUENCY * 1000))
    after, work = body.energy(), body.work
    gained = sum(after[k] - before[k] for k in ("kinetic", "potential"))
    balance = sum(work.values()) - gained
    assert work["muscle"] > 0 > work["passive"]
    assert work["fluid"] < 0
    # every joule that the muscles put in and the springs and dampers do not take goes into the water
    assert abs(balance) < 0.01 * abs(work["fluid"])


def test_work_of_a_spring_is_its_energy(make: Make) -> None:
    text = """
    links:
      base: {fixed: true}
      rod: {shape: {sphere: {radius: 1 cm}}, at: [10 cm, 0, 0], mass: 10 g}
    joints: {hinge: {parent: base, child: rod, stiffness: 1e-3 N*m/rad}}
    initial: {joints: {hinge: 0.5 rad}}
    """
    body = make(text, {"gravity": 0}, dt=1e-5, substeps=100)
    before = body.energy()
    for tick in range(200):
        body.step(tick)
    after = body.energy()
    assert before["elastic"] == pytest.approx(0.5 * 1e-3 * 0.25, rel=1e-12)
    assert after["kinetic"] > 0.3 * before["elastic"]
    assert body.work["passive"] == pytest.approx(after["kinetic"], rel=1e-9)
    assert body.work["passive"] == pytest.approx(before["elastic"] - after["elastic"], rel=1e-3)


def test_replay_of_the_animal_swims_at_the_animals_pace(make: Make, shipped: Make) -> None:
    """The animal swims at 0.714 body lengths/s; its angles in this body gave 0.632 in an independent trial."""
    body = make(shipped("salamander"), {"water": {}})
    body.request({"com_position", "site_position", "joint_angle"})
    ticks, cycles = 4000, 8
    time = np.arange(1, ticks + 1) * 1e-3
    angles = animal_angles(FREQUENCY * time) * np.minimum(time / 0.5, 1)[:, None]
    positions, tips, error = [], [], 0.0
    for tick in range(ticks):
        body.commands["position"][:] = angles[tick]
        body.step(tick)
        positions.append(body.readings["com_position"][0, :2].copy())
        tips.append(body.readings["site_position"][-1, :2].copy())
        if tick > 1000:
            error = max(error, float(np.abs(body.readings["joint_angle"] - angles[tick]).max()))
    assert np.degrees(error) < 1.0
    window = round(cycles / FREQUENCY * 1000)
    way = positions[-1] - positions[-1 - window]
    speed = np.linalg.norm(way) / (window * 1e-3) / 0.1
    assert 0.55 < speed < 0.72
    assert way[0] < -0.95 * np.linalg.norm(way)  # head first: towards -x
    across = np.array([-way[1], way[0]]) / np.linalg.norm(way)
    sway = (np.array(tips[-window:]) @ across) / 0.1
    sway -= np.polyval(np.polyfit(np.arange(window), sway, 1), np.arange(window))
    assert 0.15 < np.ptp(sway) / 2 < 0.19


def test_it_floats_where_it_starts(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"), {"water": {}})
    heights = []
    for tick in range(2000):
        body.step(tick)
        heights.append(body.readings["com_position"][0, 2])
    assert heights == pytest.approx([-0.9 * 4e-3] * 2000, abs=3e-5)


def test_less_drag_along_the_body_is_faster(make: Make, shipped: Make) -> None:
    speeds = []
    for scale in (1.0, 0.7):
        body = make(shipped("salamander", drag_x_scale=scale), {"water": {}})
        body.request({"com_position"})
        swim(body, 2000)
        speeds.append(-body.readings["com_position"][0, 0])
    assert speeds[1] > 1.05 * speeds[0] > 0


def test_the_same_run_gives_the_same_bits_alone_together_and_after_reset(make: Make, shipped: Make) -> None:
    spec, world = shipped("salamander"), {"water": {}, "ground": {"plane": {"height": "-5 mm"}}}
    alone = make(spec, world)
    swim(alone, 200)
    pair = [make(spec, world), make(spec, world)]
    lag = np.linspace(0.0, 0.87, 8)
    for tick in range(200):
        wave = 0.4 * min(tick / 300, 1.0) * np.sin(2 * np.pi * (FREQUENCY * tick * 1e-3 - lag))
        for body in pair:
            body.commands["activation"][:8], body.commands["activation"][8:] = 1 - wave, 1 + wave
            body.step(tick)
    first = alone.state.copy()
    assert first.shape == (13 + 16,)
    for body in pair:
        assert np.array_equal(body.state, first)
    alone.reset()
    assert alone.work == {"muscle": 0.0, "passive": 0.0, "actuator": 0.0, "external": 0.0, "fluid": 0.0}
    swim(alone, 200)
    assert np.array_equal(alone.state, first)


def test_substeps_are_steps(make: Make, shipped: Make) -> None:
    fine, coarse = make(shipped("lever"), {}, 1e-3, 1), make(shipped("lever"), {}, 1e-3, 5)
    for body, ticks in ((fine, 50), (coarse, 10)):
        body.commands["activation"][0] = 0.5
        for tick in range(ticks):
            body.step(tick)
    assert np.array_equal(fine.state, coarse.state)


def test_an_exploding_joint_is_named(make: Make, shipped: Make) -> None:
    body = make(shipped("lever"))
    body.step(0)
    body.external["joint_torque"][0] = 1e6
    with pytest.raises(SimulationError, match=re.escape("tick 1: joint_velocity of joint 'elbow' is ")):
        body.step(1)


def test_a_command_that_is_no_number_is_found(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"), {"water": {}})
    body.commands["activation"][3] = np.nan
    with pytest.raises(SimulationError, match=r"tick 7: joint_angle of joint 'joint_1' is nan rad"):
        body.step(7)


def test_an_exploding_link_is_named(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander", drag_y_scale=1e6), {"water": {"current": [0, "1 m/s", 0]}})
    with pytest.raises(SimulationError, match=r"tick \d+: (link_velocity of link|joint_\w+ of joint) '\w+' is"):
        for tick in range(100):
            body.step(tick)
