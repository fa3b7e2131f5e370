"""Bodies from URDF and SDF files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from cosim.body.urdf import to_urdf
from cosim.errors import UserError

Make = Callable[..., Any]

SDF = """<?xml version="1.0"?>
<sdf version="1.6"><world name="w">
<model name="{model}">
<link name="a"><pose>0 0 1 0 0 0</pose>
<inertial><pose>0.05 0 0 0 0 0</pose><mass>0.5</mass>
<inertia><ixx>1e-4</ixx><iyy>4e-4</iyy><izz>4e-4</izz><ixy>0</ixy><ixz>0</ixz><iyz>0</iyz></inertia></inertial>
</link>
<link name="b"><pose>0.1 0 1 0 0 0</pose>
{inertial}
<collision name="c"><geometry><sphere><radius>0.01</radius></sphere></geometry></collision>
</link>
<joint name="j" type="revolute"><parent>a</parent><child>b</child><axis><xyz>0 0 1</xyz>
<limit><lower>-1</lower><upper>1</upper></limit></axis></joint>
</model>{more}
</world></sdf>
"""
INERTIAL = """<inertial><mass>0.2</mass><inertia><ixx>2e-4</ixx><iyy>2e-4</iyy><izz>2e-4</izz><ixy>0</ixy>
<ixz>0</ixz><iyz>0</iyz></inertia></inertial>"""


def test_a_document_written_as_urdf_and_read_back_moves_the_same(
    make: Make, shipped: Make, parse_body: Make, tmp_path: Path
) -> None:
    lever = shipped("lever")
    (tmp_path / "lever.urdf").write_text(to_urdf(lever))
    text = """
    urdf: lever.urdf
    fixed: true
    joints: {elbow: {stiffness: 0.4 N*m/rad, damping: 0.03 N*m*s/rad}}
    """
    bodies = [make(lever), make(parse_body(text, tmp_path))]
    for tick in range(200):
        for body in bodies:
            body.external["joint_torque"][0] = 0.5 if tick < 50 else 0.0
            body.step(tick)
    assert bodies[0].q[0] > 0.1
    assert bodies[1].links == ("base", "rod")
    assert np.array_equal(bodies[0].state, bodies[1].state)


def test_damping_of_the_file_is_implicit_and_the_document_replaces_it(
    make: Make, parse_body: Make, tmp_path: Path
) -> None:
    urdf = """<robot name="r">
<link name="base"/>
<link name="rod"><inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial></link>
<joint name="h" type="continuous"><parent link="base"/><child link="rod"/><axis xyz="0 0 1"/>
<dynamics damping="{}"/></joint>
</robot>"""
    (tmp_path / "r.urdf").write_text(urdf.format(5000.0))
    for extra, damping in (("", 5000.0), ("joints: {h: {damping: 2 N*m*s/rad}}", 2.0)):
        body = make(parse_body(f"urdf: r.urdf\nfixed: true\n{extra}", tmp_path))
        body.external["joint_torque"][0] = 1.0
        v = 0.0
        for tick in range(10):
            body.step(tick)
            v = (v + 1e-3) / (1 + 1e-3 * damping)
        assert body.readings["joint_velocity"][0] == pytest.approx(v, rel=1e-9)


def test_sdf_with_masses(make: Make, parse_body: Make, tmp_path: Path) -> None:
    (tmp_path / "m.sdf").write_text(SDF.format(model="m", inertial=INERTIAL, more=""))
    body = make(
        parse_body("sdf: m.sdf\nmasses: {b: 0.1 kg}\ninitial: {at: [0, 0, 2 m], joints: {j: 0.3 rad}}", tmp_path)
    )
    assert body.total_mass == pytest.approx(0.6, rel=1e-12)
    assert body.engine.inertia[1] == pytest.approx([1e-4] * 3, rel=1e-9)  # scaled with the mass
    assert body.readings["joint_angle"][0] == pytest.approx(0.3, rel=1e-12)
    assert body.readings["link_position"] == pytest.approx(np.array([[0, 0, 2.0], [0.1, 0, 2.0]]), abs=1e-6)
    body.step(0)
    assert body.readings["com_velocity"][0, 2] == pytest.approx(-9.81e-3, rel=1e-9)


def test_a_link_without_mass_must_be_given_one(parse_body: Make, tmp_path: Path) -> None:
    (tmp_path / "m.sdf").write_text(SDF.format(model="m", inertial="", more=""))
    with pytest.raises(ValidationError, match="link 'b' has no <inertial>"):
        parse_body("sdf: m.sdf", tmp_path)


def test_one_of_several_models_is_chosen_by_name(make: Make, parse_body: Make, tmp_path: Path) -> None:
    second = f'<model name="second"><link name="z">{INERTIAL.replace("0.2", "2")}</link></model>'
    (tmp_path / "m.sdf").write_text(SDF.format(model="first", inertial=INERTIAL, more=second))
    assert make(parse_body("sdf: m.sdf\nmodel: second", tmp_path)).total_mass == 2.0
    with pytest.raises(UserError, match="holds 2 models: choose one of first, second"):
        make(parse_body("sdf: m.sdf", tmp_path))


def test_a_spherical_joint_is_refused(make: Make, parse_body: Make, tmp_path: Path) -> None:
    inertial = '<inertial><mass value="1"/><inertia ixx="1" iyy="1" izz="1" ixy="0" ixz="0" iyz="0"/></inertial>'
    (tmp_path / "r.urdf").write_text(f"""<robot name="r">
<link name="a">{inertial}</link>
<link name="b">{inertial}</link>
<joint name="ball" type="spherical"><parent link="a"/><child link="b"/></joint>
</robot>""")
    with pytest.raises(UserError, match=r"joints\.ball: spherical"):
        make(parse_body("urdf: r.urdf", tmp_path))


def test_a_kind_that_disagrees_with_the_file(make: Make, parse_body: Make, tmp_path: Path) -> None:
    (tmp_path / "m.sdf").write_text(SDF.format(model="m", inertial=INERTIAL, more=""))
    with pytest.raises(UserError, match=r"joints\.j\.kind: 'j' is a hinge in the file"):
        make(parse_body("sdf: m.sdf\njoints: {j: {kind: slider, damping: 1 N*s/m}}", tmp_path))


def test_what_bullet_says_about_a_file_is_passed_on(make: Make, parse_body: Make, tmp_path: Path) -> None:
    text = SDF.format(model="m", inertial=INERTIAL, more="")
    (tmp_path / "m.sdf").write_text(text.replace("<limit><lower>-1</lower><upper>1</upper></limit>", ""))
    with pytest.raises(UserError, match=r"^sdf: .*Joint is of type REVOLUTE but it does not specify limits"):
        make(parse_body("sdf: m.sdf", tmp_path))


def test_broken_files(make: Make, parse_body: Make, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="cannot read .*none.urdf"):
        parse_body("urdf: none.urdf", tmp_path)
    (tmp_path / "x.urdf").write_text("<robot>")
    with pytest.raises(ValidationError, match="is not XML"):
        parse_body("urdf: x.urdf", tmp_path)
    (tmp_path / "y.urdf").write_text('<robot name="y"></robot>')
    with pytest.raises(UserError, match="urdf"):
        make(parse_body("urdf: y.urdf", tmp_path))
