"""Sensors against each other and against formulae; the fake body."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cosim.body import FakeBody
from cosim.errors import SimulationError

Make = Callable[..., Any]


def test_every_port_has_its_array(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"), {"ground": "plane", "water": {}})
    for ports, arrays in ((body.sensors, body.readings), (body.actuators, body.commands)):
        assert set(ports) == set(arrays)
        for name, port in ports.items():
            shape = (len(port.labels),) if port.width == 1 else (len(port.labels), port.width)
            assert arrays[name].shape == shape
            assert arrays[name].dtype == np.float64
    assert body.sensors["joint_angle"].labels == tuple(f"joint_{i}" for i in range(1, 9))
    assert body.sensors["link_orientation"].width == 4
    assert body.sensors["contact_force"].labels == body.links
    assert body.external["joint_torque"].shape == (8,)
    assert body.external["link_force"].shape == (9, 3)


def test_readings_are_refreshed_in_place_and_only_those_requested(make: Make, shipped: Make) -> None:
    body = make(shipped("lever"))
    kept = body.readings["joint_angle"]
    body.request({"joint_angle"})
    body.external["joint_torque"][0] = 0.5
    for tick in range(10):
        body.step(tick)
    assert kept is body.readings["joint_angle"]
    assert kept[0] > 0
    assert body.readings["joint_velocity"][0] == 0.0


def test_muscles_of_the_lever(make: Make, shipped: Make) -> None:
    body = make(shipped("lever"))
    assert body.sensors["muscle_length"].unit == "m"
    assert body.sensors["muscle_force"].unit == "N"
    assert body.readings["muscle_length"] == pytest.approx([0.1, 0.1])
    body.commands["activation"][:] = [0.5, 0.2]
    for tick in range(100):
        body.step(tick)
    q, v = body.readings["joint_angle"][0], body.readings["joint_velocity"][0]
    assert q > 0.05  # the flexor, stronger, shortens
    assert body.readings["muscle_length"] == pytest.approx([0.1 - 0.04 * q, 0.1 + 0.04 * q], rel=1e-12)
    assert body.readings["muscle_velocity"] == pytest.approx([-0.04 * v, 0.04 * v], rel=1e-12)
    torques = [0.4 * 0.5 - 0.25 * 0.5 * q, 0.4 * 0.2 + 0.25 * 0.2 * q]
    assert body.readings["muscle_force"] == pytest.approx(np.array(torques) / 0.04, rel=1e-12)
    # joint torque = muscles, less the spring and the damper, at the end of the step
    total = torques[0] - torques[1] - 0.4 * q - 0.03 * v
    assert body.readings["joint_torque"][0] == pytest.approx(total, rel=1e-9)


def test_a_tap_on_the_lever_is_a_fast_stretch_that_returns(make: Make, shipped: Make) -> None:
    body = make(shipped("lever"), {"gravity": "9.81 m/s^2"})
    angle = []
    for tick in range(1500):
        body.external["joint_torque"][0] = 0.5 if 100 <= tick < 110 else 0.0
        body.step(tick)
        angle.append(math.degrees(body.readings["joint_angle"][0]))
    assert max(map(abs, angle[:100])) < 1e-9  # gravity has no part
    assert angle[150] > 3.0
    assert max(angle) < 10.0
    assert max(map(abs, angle[1400:])) < 0.02
    impulse = 0.5 * 0.01
    assert body.work["external"] == pytest.approx(impulse**2 / (2 * body_inertia()), rel=0.1)


def body_inertia() -> float:
    """The rod's inertia about the elbow: a capsule of 0.1 kg, nearly a rod of 0.3 m."""
    return 0.1 * 0.3**2 / 3


def test_velocities_are_derivatives_of_positions(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"), {"water": {}}, 1e-5, 1)
    history: list[dict[str, np.ndarray]] = []
    for tick in range(2000):
        wave = 0.4 * np.sin(2 * np.pi * (10 * tick * 1e-5 - np.linspace(0, 0.87, 8)))
        body.commands["activation"][:8], body.commands["activation"][8:] = 1 - wave, 1 + wave
        body.step(tick)
        if tick >= 1998:
            history.append({name: array.copy() for name, array in body.readings.items()})
    before, after = history
    for position, velocity in (("link_position", "link_velocity"), ("com_position", "com_velocity"),
                               ("joint_angle", "joint_velocity"), ("muscle_length", "muscle_velocity")):  # fmt: skip
        change = (after[position] - before[position]) / 1e-5
        # the centre of mass moves by small differences of the links' speeds, so theirs is the measure for it too
        scale = np.abs(after["link_velocity" if velocity == "com_velocity" else velocity]).max()
        assert scale > 1e-4
        assert np.abs(change - after[velocity]).max() < 2e-3 * scale, position


def test_sites_and_links_lie_along_the_straight_body(make: Make, shipped: Make) -> None:
    body = make(shipped("salamander"))
    x = np.array([0.0, *(15.0 + 75 / 7 * np.arange(8))]) * 1e-3
    # Bullet reads the origins of joints from a URDF in single precision
    assert body.readings["link_position"][:, 0] == pytest.approx(x, rel=1e-7, abs=1e-12)
    assert body.readings["site_position"][:, 0] == pytest.approx([*x, 0.1], rel=1e-7, abs=1e-12)
    assert body.readings["link_orientation"] == pytest.approx(np.tile([0, 0, 0, 1.0], (9, 1)), abs=1e-12)
    assert body.total_mass == pytest.approx(3.0196e-3, rel=1e-4)


def test_a_positive_angle_bends_the_tail_to_the_right(make: Make, shipped: Make) -> None:
    """Right is +y (the head is at -x, up is +z), and the right muscle shortens."""
    body = make(shipped("salamander"))
    right = body.actuators["activation"].labels.index("right_4")
    body.commands["activation"][right] = 0.3
    for tick in range(100):
        body.step(tick)
    assert body.readings["joint_angle"][3] > 0.05
    tail, head, middle = (body.readings["site_position"][i, 1] for i in (-1, 0, 4))
    assert (tail + head) / 2 > middle
    assert body.readings["muscle_length"][right] < 0


def test_geometry_for_rendering(make: Make, shipped: Make) -> None:
    drawn = make(shipped("salamander")).geometry()
    assert drawn["length"] == 0.1
    assert [link["name"] for link in drawn["links"]] == drawn["axis"]
    capsule = drawn["links"][3]["shapes"][0]
    assert capsule["kind"] == "capsule"
    assert capsule["size"] == pytest.approx([75e-3 / 7, 3.9e-3])
    assert capsule["quaternion"] == pytest.approx([0, math.sqrt(0.5), 0, math.sqrt(0.5)])  # z turned to x
    assert [s["kind"] for s in drawn["links"][1]["shapes"]] == ["capsule", *["capsule", "capsule", "sphere"] * 2]


def test_fake_body_is_exact() -> None:
    body = FakeBody(2)
    body.commands["activation"][:] = [1.0, 0.5]
    body.step(0)
    body.step(1)
    assert body.readings["joint_angle"].tolist() == [0.75, 0.375]
    assert body.readings["joint_velocity"].tolist() == [0.25, 0.125]
    assert body.readings["muscle_length"].tolist() == [-0.75, -0.375]
    body.external["link_force"][0] = [1.0, 0.0, -2.0]
    body.external["joint_torque"][:] = [0.0, 0.5]
    body.step(2)
    assert body.readings["joint_angle"].tolist() == [0.875, 0.6875]
    assert body.readings["link_position"].tolist() == [[1.0, 0.0, -2.0]]
    assert body.seen == [0, 1, 2]
    body.reset()
    assert body.state.tolist() == [0.0, 0.0]
    assert body.seen == []


def test_fake_body_fails_when_told() -> None:
    body = FakeBody(fail_at=3)
    with pytest.raises(SimulationError, match="tick 3: joint_angle of joint 'joint_0' is nan"):
        for tick in range(10):
            body.step(tick)
    assert body.seen == [0, 1, 2]
