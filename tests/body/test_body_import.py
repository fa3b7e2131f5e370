"""cosim body import: what it keeps, what it merges, what it refuses."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.body.importer.hull import convex_hull, read_vertices, write_stl
from cosim.body.inertia import of_link
from cosim.cli import main
from cosim.spec.load import load_document

Make = Callable[..., Any]

INERTIA = "<inertia><ixx>{}</ixx><iyy>{}</iyy><izz>{}</izz><ixy>{}</ixy><ixz>0</ixz><iyz>0</iyz></inertia>"


def sdf(tip: str = INERTIA.format(1, 8, 8, 0), mass: str = "3") -> str:
    """Two rods of 4 mm and 3 g along x, end to end, and a hinge about z between them."""
    rod = INERTIA.format(1, 8, 8, 0)
    shape = "<collision name='c'><pose>2 0 0 0 0 0</pose><geometry><box><size>4 1 1</size></box></geometry></collision>"
    return f"""<sdf version="1.6"><model name="m">
<link name="rod"><pose>1 2 3 0 0 0</pose><inertial><pose>2 0 0 0 0 0</pose><mass>3</mass>{rod}</inertial>{shape}</link>
<link name="tip"><pose>5 2 3 0 0 0</pose><inertial><pose>2 0 0 0 0 0</pose><mass>{mass}</mass>{tip}</inertial>
{shape}</link>
<joint name="bend" type="revolute"><parent>rod</parent><child>tip</child>
<axis><xyz>0 0 1</xyz><limit><lower>-1</lower><upper>2</upper></limit><dynamics><damping>7</damping></dynamics></axis>
</joint></model></sdf>"""


@pytest.fixture
def imported(tmp_path: Path) -> Callable[..., Any]:
    def call(text: str, *arguments: str, name: str = "model.sdf") -> Any:
        (tmp_path / name).write_text(text)
        to = str(tmp_path / "out")
        code = main(["body", "import", str(tmp_path / name), "--to", to, "--units", "mm,g,s", *arguments])
        return load_document(f"{to}/body.yaml", kind="body").spec if code == 0 else code

    return call


def test_an_sdf_keeps_inertia_limits_and_damping_in_its_own_units(imported: Make, make: Make) -> None:
    spec = imported(sdf(INERTIA.format(1, 8, 8, 0.5)))
    assert spec.links["tip"].mass == pytest.approx(3e-3)
    assert spec.links["tip"].inertia == pytest.approx((1e-9, 8e-9, 8e-9))
    assert spec.links["tip"].products == pytest.approx((0.5e-9, 0, 0))
    joint = spec.joints["bend"]
    assert joint.at == pytest.approx((4e-3, 0, 0))
    assert joint.limits == (-1.0, 2.0)
    assert joint.damping == pytest.approx(7e-9)
    body = make(spec)
    # Bullet keeps principal moments: those of [[1, .5], [.5, 8]] and 8
    principal = sorted([*np.linalg.eigvalsh([[1, 0.5], [0.5, 8]]), 8.0])
    assert sorted(body.engine.inertia[1] * 1e9) == pytest.approx(principal, rel=1e-6)


def test_a_frozen_joint_makes_one_rigid_body_of_two(imported: Make) -> None:
    straight = of_link(imported(sdf(), "--freeze", "bend=0 rad").links["rod"])
    assert straight.mass == pytest.approx(6e-3)
    assert straight.com == pytest.approx([4e-3, 0, 0])
    # each rod is 2 mm from the common centre of mass
    assert np.diag(straight.inertia) == pytest.approx(np.array([2, 2 * (8 + 3 * 4), 2 * (8 + 3 * 4)]) * 1e-9)
    bent = imported(sdf(), "--freeze", "bend=90 deg", "--sites", "tip")
    assert of_link(bent.links["rod"]).com == pytest.approx([3e-3, 1e-3, 0], abs=1e-12)
    own = of_link(bent.links["rod"]).inertia
    assert own[2, 2] == pytest.approx((2 * 8 + 2 * 3 * (1 + 1)) * 1e-9)
    assert own[0, 1] == pytest.approx(-2 * 3 * 1e-9)  # -sum m x y of centres at (-1, -1) and (1, 1)
    assert bent.sites["tip"].at == pytest.approx((4e-3, 0, 0))
    assert [part.rpy[2] for part in bent.links["rod"].parts] == pytest.approx([0, math.pi / 2])


def test_a_urdf_gets_servos(imported: Make, make: Make) -> None:
    inertial = (
        '<inertial><origin xyz="2 0 0"/><mass value="3"/>'
        '<inertia ixx="1" iyy="8" izz="8" ixy="0" ixz="0" iyz="0"/></inertial>'
    )
    text = f"""<robot name="m"><link name="rod">{inertial}</link><link name="tip">{inertial}</link>
<joint name="bend" type="revolute"><parent link="rod"/><child link="tip"/><origin xyz="4 0 0" rpy="0 0 0.3"/>
<axis xyz="0 1 0"/><limit lower="-3.14159" upper="3.14159"/></joint></robot>"""
    spec = imported(
        text, "--servo", "100 uN*mm/rad, 1 uN*mm*s/rad", "--armature", "0.1 g*mm^2", "--max-torque", "30 uN*mm",
        name="model.urdf",
    )  # fmt: skip
    joint = spec.joints["bend"]
    assert joint.servo.kp == pytest.approx(1e-7) and joint.servo.kd == pytest.approx(1e-9)
    assert joint.armature == pytest.approx(1e-10) and joint.max_torque == pytest.approx(3e-8)
    assert joint.limits is None  # a whole turn
    assert (spec.solver.length, spec.solver.mass) == (1e-3, 1e-3)
    body = make(spec, {"gravity": "0 m/s^2", "tether": "fixed"})
    assert np.sort(body.engine.inertia[1] * 1e9) == pytest.approx([1.1, 8.1, 8.1], rel=1e-6)
    body.commands["position"][0] = 0.1
    body.step(0)
    assert body.readings["joint_torque"][0] == pytest.approx(1e-7 * 0.1)


@pytest.mark.parametrize(("text", "arguments", "message"), [
    (sdf(), ("--freeze", "bnd=0"), "no joint 'bnd' to freeze, did you mean 'bend'?"),
    (sdf(), ("--freeze", "bend=3 mm"), "--freeze bend 3 mm: "),
    (sdf(), ("--collide", "leg*"), "--collide leg*: nothing is called so"),
    (sdf(), ("--armature", "1 g*mm^2"), "--armature goes with --servo"),
    (sdf(tip=""), (), "link 'tip' has a mass and no <inertia>"),
    (sdf(mass="0"), (), "link 'tip' moves and has no mass"),
    (sdf(tip=INERTIA.format(1, 8, 20, 0)), (), "no rigid body has the inertia of link 'tip'"),
    (sdf().replace("revolute", "screw"), (), "joint 'bend' is screw, expected one of revolute"),
    ("<robot", (), "is not XML"),
])  # fmt: skip
def test_what_is_refused(
    imported: Make, text: str, arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    assert imported(text, *arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


def test_a_hull_keeps_what_is_outermost(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    points = rng.standard_normal((2000, 3)) * [5, 1, 0.5]
    corners, triangles = convex_hull(points, 60)
    assert len(triangles) <= 60
    inner = (corners - points.mean(axis=0)) / np.ptp(points, axis=0)
    assert np.abs(inner).max() <= np.abs((points - points.mean(axis=0)) / np.ptp(points, axis=0)).max()
    assert np.ptp(corners, axis=0) == pytest.approx(np.ptp(points, axis=0), rel=0.1)
    a, b, c = (corners[triangles[:, i]] for i in range(3))
    outward = (np.cross(b - a, c - a) * (a - corners.mean(axis=0))).sum(axis=1)
    assert (outward > 0).all()
    write_stl(tmp_path / "hull.stl", corners, triangles)
    assert len(read_vertices(tmp_path / "hull.stl")) == len(corners)
