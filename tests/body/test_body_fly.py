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
