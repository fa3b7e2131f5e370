"""What a wrong body document is told, where; mass properties of shapes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.body.inertia import of_link, unit_inertia
from cosim.errors import UserError
from cosim.spec.body import LinkSpec, ShapeSpec, WorldSpec

Make = Callable[..., Any]

GOOD = """
links:
  base: {{fixed: true}}
  rod: {{shape: {{box: {{size: [1 m, 1 cm, 1 cm]}}}}, mass: 1 kg}}
  tip: {{shape: {{sphere: {{radius: 1 cm}}}}, mass: 1 kg}}
joints:
  elbow: {{parent: base, child: rod}}
  wrist: {{parent: rod, child: tip}}
{}
"""


def messages(parse_body: Make, text: str) -> list[tuple[tuple[str | int, ...], str]]:
    with pytest.raises(ValidationError) as caught:
        parse_body(text)
    found: list[tuple[tuple[str | int, ...], str]] = []
    for error in caught.value.errors():
        problem = error.get("ctx", {}).get("error")
        base = tuple(error["loc"])
        if hasattr(problem, "problems"):
            found += [((*base, *path), message) for path, message in problem.problems]
        else:
            found.append((base, error["msg"]))
    return found


@pytest.mark.parametrize(("more", "path", "text"), [
    ("muscles: {m: {joint: ellbow, pulls: positive, alpha: 1 N*m, beta: 1 N*m/rad}}",
     ("muscles", "m", "joint"), "no joint 'ellbow', did you mean 'elbow'?"),
    ("fluid: {drag: {rodd: {}}}", ("fluid", "drag", "rodd"), "no link 'rodd', did you mean 'rod'?"),
    ("sites: {s: {link: tipp}}", ("sites", "s", "link"), "no link 'tipp', did you mean 'tip'?"),
    ("axis: [base, rot]", ("axis", 1), "no link 'rot', did you mean 'rod'?"),
    ("initial: {joints: {wrists: 0 rad}}", ("initial", "joints", "wrists"), "did you mean 'wrist'?"),
    ("initial: {sliders: {wrist: 1 mm}}", ("initial", "sliders", "wrist"), "'wrist' is hinge, sliders is for sliders"),
    ("masses: {rod: 1 kg}", ("masses",), "masses goes with urdf or sdf"),
])  # fmt: skip
def test_references(parse_body: Make, more: str, path: tuple[str, ...], text: str) -> None:
    ((where, message),) = messages(parse_body, GOOD.format(more))
    assert where == path
    assert text in message


def change(old: str, new: str) -> str:
    text = GOOD.format("").replace(old, new)
    assert text != GOOD.format("")
    return text


@pytest.mark.parametrize(("old", "new", "path", "text"), [
    ("parent: rod,", "parent: rodd,", ("joints", "wrist", "parent"), "no link 'rodd', did you mean 'rod'?"),
    ("child: tip", "child: rod", ("joints", "wrist", "child"), "'rod' is the child of joint 'elbow' already"),
    ("parent: base", "parent: tip", ("joints", "wrist", "parent"), "the links form a loop: rod > tip > rod"),
    ("  wrist: {parent: rod, child: tip}", "", ("links", "tip"), "nothing joins it to 'base'"),
    ("parent: rod, ", "", ("joints", "wrist", "parent"), "a joint needs a parent"),
    (", mass: 1 kg}\n  tip", "}\n  tip", ("links", "rod", "mass"), "a link that moves needs a mass"),
    ("mass: 1 kg}\n  tip", "mass: 0 kg}\n  tip", ("links", "rod", "mass"), "a mass greater than 0"),
    ("child: tip}", "child: tip, limits: [1 rad, 0 rad]}", ("joints", "wrist", "limits"), "lower limit must be below"),
    ("child: tip}", "child: tip, kind: fixed, damping: 1 N*m*s/rad}", ("joints", "wrist", "damping"), "a fixed joint"),
    ("radius: 1 cm}}, mass: 1 kg", "radius: 1 cm}}, mass: 1 kg, inertia: [1 kg*m^2, 1 kg*m^2, 3 kg*m^2]",
     ("links", "tip", "inertia"), "no rigid body has this inertia"),
    ("{shape: {sphere: {radius: 1 cm}}, mass", "{mass", ("links", "tip", "inertia"), "a link without a shape"),
    ("mass: 1 kg}\njoints", "mass: 1 kg, fixed: true}\njoints", ("links", "tip", "fixed"), "only the root"),
])  # fmt: skip
def test_structure(parse_body: Make, old: str, new: str, path: tuple[str, ...], text: str) -> None:
    found = messages(parse_body, change(old, new))
    assert [where for where, _ in found] == [path]
    assert text in found[0][1]


def test_every_problem_is_reported_at_once(parse_body: Make) -> None:
    text = change("parent: rod,", "parent: rodd,").replace("child: rod", "child: rood")
    assert [path for path, _ in messages(parse_body, text)] == [
        ("joints", "elbow", "child"),
        ("joints", "wrist", "parent"),
    ]


@pytest.mark.parametrize(("old", "new", "path", "text"), [
    ("mass: 1 kg}\njoints", "mass: 1}\njoints", ("links", "tip", "mass"), "expected a mass"),
    ("radius: 1 cm", "radius: 1 s", ("links", "tip", "shape", "sphere", "radius"), "expected a length"),
    ("radius: 1 cm", "radius: -1 cm", ("links", "tip", "shape", "sphere", "radius"), "greater than 0"),
    ("child: tip}", "child: tip, axis: [0, 0, 0]}", ("joints", "wrist", "axis"), "must not be zero"),
    ("child: tip}", "child: tip, kind: slider, damping: 1 N*m*s/rad}", ("joints", "wrist", "damping"), "expected"),
    ("child: tip}", "child: tip, dampin: 1 N*m*s/rad}", ("joints", "wrist", "dampin"), "Extra inputs"),
])  # fmt: skip
def test_values(parse_body: Make, old: str, new: str, path: tuple[str, ...], text: str) -> None:
    ((where, message),) = messages(parse_body, change(old, new))
    assert where == path
    assert text in message


def test_links_and_a_file_together(parse_body: Make) -> None:
    ((path, message),) = messages(parse_body, GOOD.format("urdf: x.urdf"))
    assert (path, message) == ((), "expected exactly one of links, urdf, sdf, got links and urdf")


def test_muscles_with_and_without_moment_arm_do_not_mix(parse_body: Make) -> None:
    base = "joint: elbow, pulls: positive, alpha: 1 N*m, beta: 1 N*m/rad"
    more = f"muscles: {{a: {{{base}, moment_arm: 1 cm, rest_length: 1 cm}}, b: {{{base}}}}}"
    ((path, message),) = messages(parse_body, GOOD.format(more))
    assert (path, message) == (("muscles", "b", "moment_arm"), "give every muscle a moment_arm or none")


def test_worlds() -> None:
    assert WorldSpec().gravity == 9.81
    assert WorldSpec().ground.plane is None
    for ground in ("plane", {"plane": None}, {"plane": {}}):
        world = WorldSpec.model_validate({"ground": ground})
        assert world.ground.plane is not None and world.ground.plane.friction == 0.7
    assert WorldSpec.model_validate({"ground": "none", "water": "none"}).water is None
    for wrong, text in (({"ground": "sand"}, "no ground 'sand'"), ({"gravity": "-1 m/s^2"}, "magnitude"),
                        ({"water": {"density": "1 g"}}, "expected a density"),
                        ({"wind": 1}, "Extra inputs")):  # fmt: skip
        with pytest.raises(ValidationError, match=text):
            WorldSpec.model_validate(wrong)


def sampled_inertia(shape: ShapeSpec, n: int = 120) -> np.ndarray:
    """Inertia per kg from a grid of points in the shape (along its z)."""
    r, h = 1.0, 1.5
    x = (np.arange(n) + 0.5) / n * 2 - 1
    points = np.stack(
        np.meshgrid(x * r, x * r, x * (h / 2 + (r if shape.capsule else 0)), indexing="ij"), axis=-1
    ).reshape(-1, 3)
    if shape.capsule:
        outside = np.maximum(np.abs(points[:, 2]) - h / 2, 0)
        inside = points[:, 0] ** 2 + points[:, 1] ** 2 + outside**2 < r * r
    else:
        inside = (points[:, 0] ** 2 + points[:, 1] ** 2 < r * r) & (np.abs(points[:, 2]) < h / 2)
    p = points[inside]
    second = p.T @ p / len(p)
    return np.trace(second) * np.eye(3) - second


@pytest.mark.parametrize("kind", ["capsule", "cylinder"])
def test_inertia_of_shapes_against_a_grid_of_points(kind: str) -> None:
    shape = ShapeSpec.model_validate({kind: {"length": "1.5 m", "radius": "1 m"}})
    assert unit_inertia(shape) == pytest.approx(sampled_inertia(shape), rel=5e-3, abs=1e-9)
    turned = ShapeSpec.model_validate({kind: {"length": "1.5 m", "radius": "1 m", "along": "x"}})
    exact = np.diag(unit_inertia(shape))
    assert np.diag(unit_inertia(turned)) == pytest.approx([exact[2], exact[1], exact[0]], rel=1e-12)


def test_inertia_of_a_link_with_parts_is_that_of_the_pieces() -> None:
    cube = {"box": {"size": ["1 m", "1 m", "1 m"]}}
    parts = [{"shape": cube, "at": ["1 m", 0, 0], "mass": "2 kg", "rpy": ["90 deg", 0, 0]}]
    two = of_link(LinkSpec.model_validate({"shape": cube, "mass": "2 kg", "parts": parts}))
    long = of_link(LinkSpec.model_validate({"shape": {"box": {"size": ["2 m", "1 m", "1 m"]}}, "mass": "4 kg"}))
    assert two.mass == 4.0
    assert two.com == pytest.approx([0.5, 0, 0])
    assert two.inertia == pytest.approx(long.inertia, rel=1e-12, abs=1e-12)


def test_a_turned_rod_has_its_inertia_across_the_turned_axis() -> None:
    rod = {"shape": {"cylinder": {"length": "1 m", "radius": "1 mm"}}, "mass": "12 kg", "rpy": [0, "90 deg", 0]}
    assert np.diag(of_link(LinkSpec.model_validate(rod)).inertia) == pytest.approx([6e-6, 1, 1], rel=1e-5)


def test_shipped_salamander_is_as_published(shipped: Make) -> None:
    spec = shipped("salamander")
    bare = [spec.links[name].mass for name in spec.axis]
    assert [round(m * 1e3, 4) for m in bare] == [0.3314, 0.5139, 0.6303, 0.5278, 0.2673, 0.2091, 0.1574, 0.1189, 0.0755]
    legs = [p for name in ("trunk_1", "pelvis") for p in spec.links[name].parts]
    assert math.fsum(p.mass for p in legs) == pytest.approx(4 * (2 * 0.0199 + 0.0072) * 1e-3, rel=1e-12)
    # folded back: the foot 11 mm from the shoulder, towards the tail, on its own side
    left_foot = spec.links["trunk_1"].parts[2].at
    assert left_foot == pytest.approx((11e-3 * math.sin(1.257), -4e-3 - 11e-3 * math.cos(1.257), -2e-3), rel=1e-9)
    # the natural frequency of joint 8 at 3 beta is 58 Hz and its damping ratio .26 in the publication's model
    joint = spec.joints["joint_8"]
    inertia = 3 * joint.stiffness / (2 * math.pi * 58) ** 2
    assert joint.damping / (2 * math.sqrt(3 * joint.stiffness * inertia)) == pytest.approx(0.16, abs=0.02)


def test_an_unknown_sensor_is_refused_with_the_nearest(make: Make, shipped: Make) -> None:
    with pytest.raises(UserError, match="no sensor 'joint_angel', did you mean 'joint_angle'"):
        make(shipped("lever")).request({"joint_angel"})
