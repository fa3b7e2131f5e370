"""A small body that stands on two legs, and a movement for it: a zoo in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

BODY = """\
cosim: body/1
name: stander
length: 3 mm
solver: {length: 1 mm, mass: 1 g, iterations: 20, contact_erp: 0.1, friction_erp: 0}
forward: [1, 0, 0]
links:
  trunk: {shape: {box: {size: [2 mm, 1 mm, 0.5 mm]}}, mass: 0.5 mg, collide: false}
  left_thigh: {shape: {box: {size: [0.1 mm, 0.1 mm, 1 mm]}}, at: [0, 0, -0.5 mm], mass: 0.05 mg, collide: false}
  left_foot: {shape: {box: {size: [0.8 mm, 0.6 mm, 0.1 mm]}}, at: [0, 0, -0.05 mm], mass: 0.05 mg}
  right_thigh: {shape: {box: {size: [0.1 mm, 0.1 mm, 1 mm]}}, at: [0, 0, -0.5 mm], mass: 0.05 mg, collide: false}
  right_foot: {shape: {box: {size: [0.8 mm, 0.6 mm, 0.1 mm]}}, at: [0, 0, -0.05 mm], mass: 0.05 mg}
joints:
"""
SERVO = "servo: {kp: 100 uN*mm/rad, kd: 0.03 uN*mm*s/rad}, armature: 5e-6 g*mm^2, max_torque: 30 uN*mm"
JOINTS = "".join(
    f"  {side}_hip: {{parent: trunk, child: {side}_thigh, at: [0, {y} mm, -0.25 mm], axis: [0, 1, 0], {SERVO}}}\n"
    f"  {side}_ankle: {{parent: {side}_thigh, child: {side}_foot, at: [0, 0, -1 mm], axis: [0, 1, 0], {SERVO}}}\n"
    for side, y in (("left", 0.5), ("right", -0.5))
)
FEET = "feet: {L: {link: left_foot}, R: {link: right_foot}}\n"
EXPERIMENT = """\
cosim: experiment/1
name: stand
title: A small body shifts its hips
body: ../bodies/stander
world: {ground: {plane: {friction: 1}}}
duration: 100 ms
transient: 20 ms
tick: 0.5 ms
dt: 0.1 ms
body_dt: 0.1 ms
commands: {movement: {write: {position: all}, kinematics: ../bodies/stander/movement.yaml}}
"""


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """The folder of the zoo: run/stand.yaml, bodies/stander."""
    folder = tmp_path / "bodies/stander"
    folder.mkdir(parents=True)
    (tmp_path / "run").mkdir()
    (folder / "body.yaml").write_text(BODY + JOINTS + FEET + "initial: {at: [0, 0, 1.351 mm]}\n", encoding="utf-8")
    time = np.arange(0, 0.1005, 0.001)
    swing = 0.2 * np.sin(2 * np.pi * 10 * time)
    rows = [f"{t:.4f},{a:.6f},{-a:.6f},{a:.6f},{-a:.6f}" for t, a in zip(time, swing, strict=True)]
    header = "time [s],left_hip,left_ankle,right_hip,right_ankle"
    (folder / "movement.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    (folder / "movement.yaml").write_text("cosim: kinematics/1\nname: movement\nfile: movement.csv\n", encoding="utf-8")
    (tmp_path / "run/stand.yaml").write_text(EXPERIMENT, encoding="utf-8")
    return tmp_path
