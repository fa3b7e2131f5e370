"""Ground of all kinds, tethers, slips and pushes against mechanics; falls."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.body.algebra import turned
from cosim.body.fall import Fall
from cosim.body.ground import BALL_AXES, heights
from cosim.body.importer.model import about
from cosim.errors import UserError
from cosim.spec.body import WorldSpec
from cosim.spec.body_extras import FallSpec
from cosim.spec.body_world import HeightfieldSpec

Make = Callable[..., Any]

G = 9.81


def box(at: str, more: str = "") -> str:
    """A flat box of 1 g, 10 x 10 x 4 mm."""
    return f"""
links: {{box: {{shape: {{box: {{size: [10 mm, 10 mm, 4 mm]}}}}, mass: 1 g}}}}
length: 10 mm
initial: {{at: {at}{more}}}
"""


def run(body: Any, ticks: int) -> None:
    for tick in range(ticks):
        body.step(tick)


@pytest.mark.parametrize(("friction", "slides"), [(0.2, True), (0.5, False)])
def test_a_box_slides_down_a_slope_that_is_steeper_than_its_friction(
    make: Make, friction: float, slides: bool
) -> None:  # fmt: skip
    pitch = math.radians(20)
    at = f"[{-2 * math.sin(pitch)} mm, 0, {2 * math.cos(pitch)} mm]"
    world = {"ground": {"slope": {"pitch": "20 deg", "friction": friction}}}
    body = make(box(at, ", rpy: [0, -20 deg, 0]"), world)
    run(body, 200)
    before = body.readings["link_velocity"][0].copy()
    run(body, 100)
    down = np.array([-math.cos(pitch), 0.0, -math.sin(pitch)])
    gained = float((body.readings["link_velocity"][0] - before) @ down) / 0.1
    wanted = G * (math.sin(pitch) - friction * math.cos(pitch)) if slides else 0.0
    assert gained == pytest.approx(wanted, rel=2e-3, abs=1e-3)


@pytest.mark.parametrize(("rise", "x", "level"), [(3, -10, 0), (3, 30, 6), (3, 90, 9), (-3, -10, 0), (-3, 30, -6)])
def test_a_marble_comes_to_rest_on_its_step(make: Make, rise: int, x: int, level: int) -> None:
    steps = {"start": 0, "rise": f"{rise} mm", "run": "20 mm", "width": "40 mm", "count": 3}
    marble = "links: {marble: {shape: {sphere: {radius: 2 mm}}, mass: 1 g}}\nlength: 4 mm\n"
    body = make(marble + f"initial: {{at: [{x} mm, 0, {level + 2.5} mm]}}", {"ground": {"steps": steps}})
    run(body, 200)
    assert 1e3 * body.readings["link_position"][0, 2] == pytest.approx(level + 2, abs=0.01)


def test_a_box_rests_on_a_heightfield_from_a_file(make: Make, tmp_path: Path) -> None:
    table = np.full((9, 13), 2.0)
    table[:, 9:] = 5.0  # a plateau from x = 12 mm on
    np.savetxt(tmp_path / "ground.csv", table, delimiter=",")
    ground = {"heightfield": {"file": "ground.csv", "unit": "1 mm", "cell": "4 mm"}}
    world = WorldSpec.model_validate({"ground": ground}, context={"directory": str(tmp_path)})
    for x, level in ((-10, 2), (18, 5)):
        body = make(box(f"[{x} mm, 0, {level + 2.5} mm]"), world)
        run(body, 200)
        assert 1e3 * body.readings["link_position"][0, 2] == pytest.approx(level + 2, abs=0.02), x


def test_drawn_heights_have_the_roughness_asked_for() -> None:
    ground = {"roughness": "0.1 mm", "cell": "0.2 mm", "points": 80, "height": "1 mm", "seed": 3}
    found = heights(HeightfieldSpec.model_validate(ground))
    assert found.shape == (80, 80)
    assert found.std() == pytest.approx(1e-4)
    assert found.mean() == pytest.approx(1e-3)
    assert (found == heights(HeightfieldSpec.model_validate(ground))).all()
    neighbours = np.corrcoef(found[:, 1:].ravel(), found[:, :-1].ravel())[0, 1]
    assert neighbours == pytest.approx(math.exp(-1 / 16), abs=0.03)  # of a Gaussian kernel of 2 cells


def test_ground_that_gives_way_is_pressed_in_by_the_weight(make: Make) -> None:
    plane = {"friction": 0.5, "stiffness": "5 N/m", "damping": "0.05 N*s/m"}
    body = make(box("[0, 0, 2 mm]"), {"ground": {"plane": plane}})
    run(body, 1000)
    depth = 2e-3 - body.readings["link_position"][0, 2]
    assert depth == pytest.approx(1e-3 * G / (4 * 5), rel=1e-3)  # a spring at each of four corners


def test_friction_changes_where_the_ground_is_told_to_slip(make: Make) -> None:
    slip = [{"at": "50 ms", "for": "50 ms", "friction": 0.0}]
    body = make(
        box("[0, 0, 2 mm]", ", velocity: [1 m/s, 0, 0]"), {"ground": {"plane": {"friction": 0.4, "slip": slip}}}
    )
    force = []
    for tick in range(150):
        body.step(tick)
        force.append(body.readings["contact_force"][0].copy())
    before, slipping, after = (np.sum(force[k : k + 50], axis=0) for k in (0, 50, 100))
    assert -before[0] / before[2] == pytest.approx(0.4, rel=1e-3)
    assert abs(slipping[0] / slipping[2]) < 1e-9
    assert -after[0] / after[2] == pytest.approx(0.4, rel=1e-3)


def spin(body: Any) -> Any:
    """Angular velocity (3,) of the ball in the world."""
    angle, axes = body.readings["ball_angle"], np.array(BALL_AXES)
    first = about(axes[0], angle[0])
    second = first @ about(axes[1], angle[1])
    return np.stack([axes[0], first @ axes[1], second @ axes[2]]).T @ body.readings["ball_velocity"]


def test_a_ball_turns_as_the_feet_push_it(make: Make, shipped: Make) -> None:
    """I dw/dt = -sum (r x f), f on the fly, r from the centre; I = 2/5 m r^2."""
    centre = np.array([0.41e-3, -0.03e-3, -4.72e-3])
    ball = {"radius": "4.98 mm", "mass": "54.6 mg", "friction": 1.3, "center": [f"{x} m" for x in centre]}
    body = make(shipped("fly", height="1.2 mm"), {"ground": {"ball": ball}, "tether": "fixed"}, 1e-4, 1)
    inertia = 0.4 * 54.6e-6 * 4.98e-3**2
    start = body.commands["position"].copy()
    wrong, size, before = 0.0, 0.0, np.zeros(3)
    for tick in range(600):
        body.commands["position"][:] = start + 0.1 * np.sin(2 * np.pi * 20 * tick * 1e-4 + np.arange(42))
        body.step(tick)
        after = spin(body)
        moment = np.zeros(3)
        for c in body.contacts.touches[0]:
            force = c[9] * np.array(c[7]) + c[10] * np.array(c[11]) + c[12] * np.array(c[13])
            moment -= np.cross(np.array(c[6]) * 1e-3 - centre, force * 1e-6)
        wrong = max(wrong, float(np.abs((after - before) / 1e-4 * inertia - moment).max()))
        size = max(size, float(np.abs(moment).max()))
        before = after
    assert size > 1e-9
    assert wrong < 1e-3 * size


@pytest.mark.parametrize("tether", ["fixed", "vertical"])
def test_a_tether_holds_the_root(make: Make, shipped: Make, tether: str) -> None:
    body = make(shipped("fly", height="1.6 mm"), {"ground": "plane", "tether": tether}, 1e-4, 10)
    at, turn = (body.readings[f"link_{x}"][0].copy() for x in ("position", "orientation"))
    run(body, 50)
    moved = body.readings["link_position"][0] - at
    assert np.abs(moved[:2]).max() < 1e-15
    assert body.readings["link_orientation"][0] == pytest.approx(turn, abs=1e-12)
    assert body.total_mass == pytest.approx(1e-6, rel=1e-6)
    if tether == "vertical":
        assert moved[2] < -1e-4
        assert body.readings["foot_force"].any()
    else:
        assert moved[2] == 0.0


def test_a_push_gives_the_fly_its_impulse(make: Make, shipped: Make) -> None:
    """A lateral force of two weights at the thorax, for 10 ms, in free fall."""
    body = make(shipped("fly"), {}, 1e-4, 10)
    weight = body.total_mass * G
    for tick in range(30):
        body.external["link_force"][0, 1] = 2 * weight if 10 <= tick < 20 else 0.0
        body.step(tick)
    wanted = [0.0, 2 * weight * 0.01, -weight * 0.03]
    assert body.momentum()[:3] == pytest.approx(wanted, rel=1e-3, abs=1e-3 * weight * 0.01)


def test_a_fall_is_told_once_and_for_all() -> None:
    fall = Fall(FallSpec.model_validate({"tilt": "60 deg", "height": "0.3 mm"}))
    upright, over = (0.0, 0.0, 0.0, 1.0), (math.sin(math.radians(35)), 0.0, 0.0, math.cos(math.radians(35)))
    assert math.degrees(math.acos(turned(over, (0.0, 0.0, 1.0))[2])) == pytest.approx(70)
    fall.look(upright, 1e-3, 0)
    assert not fall.fallen
    fall.look(over, 1e-3, 7)
    assert fall.fallen and fall.latch[0] == 7
    assert math.degrees(fall.tilt) == pytest.approx(70)
    fall.look(upright, 1e-3, 8)
    assert fall.fallen and fall.latch[0] == 7
    fall.reset()
    fall.look(upright, 0.2e-3, 9)
    assert fall.latch[0] == 9


def test_a_fly_on_its_back_has_fallen_and_stands_on_no_foot(make: Make, shipped: Make) -> None:
    spec = shipped("fly")
    initial = spec.initial.model_copy(update={"rpy": (math.pi, 0.0, 0.0)})
    body = make(spec.model_copy(update={"initial": initial}), {"ground": "plane"}, 1e-4, 10)
    run(body, 150)
    assert body.readings["fallen"][0] == 1.0
    weight = body.total_mass * G
    assert body.readings["contact_force"][0, 2] > 0.5 * weight  # the trunk lies on the ground


@pytest.mark.parametrize(("ground", "text"), [
    ({"plane": {}, "slope": {}}, "expected one kind of ground, got plane and slope"),
    ("plain", "no ground 'plain', expected none or plane, did you mean 'plane'?"),
    ({"plane": {"stiffness": "5 N/m"}}, "stiffness and damping of the ground go together"),
    ({"heightfield": {"cell": "1 mm"}}, "expected exactly one of file and roughness"),
    ({"ball": {"radius": "5 mm"}}, "Field required"),
])  # fmt: skip
def test_grounds_that_are_none(ground: Any, text: str) -> None:
    with pytest.raises(ValidationError, match=text.replace("?", r"\?")):
        WorldSpec.model_validate({"ground": ground})


def test_worlds_that_do_not_suit_the_body(make: Make, shipped: Make, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="world.tether: a vertical tether is for bodies with servos"):
        make(shipped("lever"), {"tether": "vertical"})
    with pytest.raises(UserError, match="world.water: a body with servos feels no water"):
        make(shipped("fly"), {"water": {}}, 1e-4, 10)
    ground = {"heightfield": {"file": "none.csv", "cell": "1 mm"}}
    world = WorldSpec.model_validate({"ground": ground}, context={"directory": str(tmp_path)})
    with pytest.raises(UserError, match=r"world.ground.heightfield.file: cannot read heights from .*none.csv"):
        make(shipped("lever"), world)
