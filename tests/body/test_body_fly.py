"""The fruit fly: what its document must hold, that it stands, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cosim.body.servo import MAX_STIFFNESS
from cosim.errors import UserError
from tests.body.conftest import BODIES

Make = Callable[..., Any]

LEGS = ("LF", "LM", "LH", "RF", "RM", "RH")
FLAT = {"ground": {"plane": {"friction": 1.0}}}
#: segment lengths by leg pair (front, middle, hind), mm: Lobato-Rios et al. 2022
SEGMENTS = {"Coxa": (0.425, 0.181, 0.199), "Femur": (0.705, 0.784, 0.836), "Tibia": (0.518, 0.667, 0.684)}
NEXT = {"Coxa": "Femur", "Femur": "Tibia", "Tibia": "Tarsus1"}


def test_the_fly_is_the_published_one(make: Make, shipped: Make) -> None:
    spec = shipped("fly")
    body = make(spec, {}, 1e-4, 10)
    assert body.total_mass == pytest.approx(1e-6, rel=1e-6)
    assert len(body.joints) == 42
    at = dict(zip(body.links, body.readings["link_position"], strict=True))
    for segment, lengths in SEGMENTS.items():
        for leg in LEGS:
            length = np.linalg.norm(at[leg + NEXT[segment]] - at[leg + segment])
            assert 1e3 * length == pytest.approx(lengths["FMH".index(leg[1])], abs=6e-4), leg + segment
    files = list((BODIES / "fly/meshes").iterdir())
    assert len(files) == 65
    assert sum(f.stat().st_size for f in files) < 1e6
    assert "Apache License" in (BODIES / "fly/LICENSE").read_text()


def test_it_stands_on_its_six_feet(make: Make, shipped: Make) -> None:
    body = make(shipped("fly"), FLAT, 1e-4, 10)
    body.request({"foot_force", "contact_force", "tilt", "fallen"})
    weight, force = body.total_mass * 9.81, []
    for tick in range(250):
        body.step(tick)
        force.append(body.readings["foot_force"].sum(axis=0))
    assert np.mean(force[200:], axis=0)[2] / weight == pytest.approx(1.0, abs=1e-3)
    assert body.readings["contact_force"].sum(axis=0) == pytest.approx(force[-1], abs=1e-12)
    assert body.readings["fallen"][0] == 0.0
    assert np.degrees(body.readings["tilt"][0]) < 10


def test_a_step_too_large_for_a_servo_is_refused_before_anything_runs(make: Make, shipped: Make) -> None:
    with pytest.raises(UserError, match=r"joints\.joint_\w+\.servo\.kd: a physics step of 0\.0002 s is too large .* at "
                       r"most 0\.0001 s"):  # fmt: skip
        make(shipped("fly"), {}, 2e-4, 5)
    with pytest.raises(UserError, match=r"servo\.kp: a physics step of 0\.0001 s is too large"):
        make(shipped("fly", kp="200 uN*mm/rad", kd="0.01 uN*mm*s/rad"), {}, 1e-4, 10)
    largest = (MAX_STIFFNESS * 5e-6 / 100) ** 0.5
    assert largest == pytest.approx(1e-4)  # the reference gains are at the bound of both


SERVO = """
links:
  base: {{fixed: true}}
  rod: {{shape: {{box: {{size: [1 m, 1 cm, 1 cm]}}}}, mass: 1 kg}}
  tip: {{shape: {{sphere: {{radius: 1 cm}}}}, mass: {mass}}}
joints:
  elbow: {{parent: base, child: rod, armature: 1 kg*m^2, servo: {{kp: 1 N*m/rad}}}}
  wrist: {{parent: rod, child: tip{more}}}
{rest}
"""


@pytest.mark.parametrize(("mass", "more", "rest", "text"), [
    ("1 kg", ", servo: {kp: 1 N*m/rad}", "", "a servo needs an armature, which its step is judged by"),
    ("1 kg", ", stiffness: 1 N*m/rad", "", "explicit torques: stiffness goes with muscles and position control"),
    ("1 kg", "", "muscles: {m: {joint: elbow, pulls: positive, alpha: 1 N*m, beta: 1 N*m/rad}}", "has no muscles"),
    ("1 kg", "", "feet: {left: {link: tipp}}", "no link 'tipp', did you mean 'tip'?"),
    ("1 kg", ", kind: slider", "", "sliders are not among what they move"),
    ("0 kg", "", "", "needs a mass greater than 0 (or, between two hinges, an armature of the first)"),
    ("1 kg, products: [1 kg*m^2, 0, 0]", "", "", "products of inertia go with inertia"),
    ("1 kg, inertia: [1 kg*m^2, 1 kg*m^2, 1 kg*m^2], products: [2 kg*m^2, 0, 0]", "", "", "no rigid body has these"),
])  # fmt: skip
def test_what_servos_do_not_go_with(parse_body: Make, mass: str, more: str, rest: str, text: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_body(SERVO.format(mass=mass, more=more, rest=rest))
    assert text in str(caught.value)


def test_a_servo_follows_a_straight_line_between_ticks(make: Make, parse_body: Make) -> None:
    """q* + dq* s dt and dq* in sub-step s, clipped; the mean torque of a tick is what is told."""
    text = SERVO.format(mass="1 kg", more="", rest="initial: {joints: {elbow: 0.1 rad}}")
    text = text.replace("servo: {kp: 1 N*m/rad}", "servo: {kp: 3 N*m/rad, kd: 2 N*m*s/rad}, max_torque: 0.5 N*m")
    body = make(parse_body(text), {"gravity": "0 m/s^2"}, 1e-3, 5)
    assert body.commands["position"].tolist() == [0.1]  # held until told otherwise
    body.step(0)
    assert body.readings["joint_torque"][0] == pytest.approx(0.0, abs=1e-12)
    body.commands["position"][0], body.commands["position_rate"][0] = 0.15, 0.1
    body.step(1)
    q, v = body.drive.angles[0][0], body.drive.speeds[:5, 0]
    assert body.drive.torques[0, 0] == pytest.approx(3 * (0.15 - q) + 2 * (0.1 - v[0]))
    # between sub-steps: the target moves by dq* dt, the angle by v dt (with the new speed)
    angle = q + np.concatenate([[0], np.cumsum(body.drive.speeds[1:5, 0]) * 1e-3])
    wanted = 3 * (0.15 + 0.1 * np.arange(5) * 1e-3 - angle) + 2 * (0.1 - v)
    assert body.drive.torques[:, 0] == pytest.approx(wanted)
    assert body.readings["joint_torque"][0] == pytest.approx(wanted.mean())
    body.commands["position"][0] = 9.0
    body.step(2)
    assert body.readings["joint_torque"].tolist() == [0.5, 0.0]
    assert body.work["actuator"] == pytest.approx(body.energy()["kinetic"])


def test_a_fly_goes_on_from_its_snapshot(make: Make, shipped: Make) -> None:
    """On the ground: a run that passes through its snapshots equals one that was interrupted at one of them."""
    spec = shipped("fly")

    def walk(body: Any, tick: int) -> None:
        body.commands["position"][:] = start + 0.15 * np.sin(0.06 * tick + np.arange(42))
        body.commands["adhesion"][:] = 1.0 if tick > 20 else 0.0
        body.step(tick)

    def bits(body: Any) -> bytes:
        return b"".join(
            [body.state.tobytes(), *(a.tobytes() for a in body.readings.values()), repr(body.work).encode()]
        )

    body = make(spec, FLAT, 1e-4, 5)
    start, saved, wanted = body.commands["position"].copy(), {}, []
    for tick in range(120):
        if tick in (40, 80):
            saved[tick] = body.snapshot()
            body.restore(saved[tick])
        walk(body, tick)
        wanted.append(bits(body))
    assert body.readings["adhesion_force"].any()
    other = make(spec, FLAT, 1e-4, 5)
    other.restore(saved[40])
    for tick in range(40, 120):
        if tick == 80:
            other.restore(other.snapshot())
        walk(other, tick)
        assert bits(other) == wanted[tick], tick
    again = make(spec, FLAT, 1e-4, 5)
    for tick in range(40):
        walk(again, tick)
    assert bits(again) == wanted[39]
