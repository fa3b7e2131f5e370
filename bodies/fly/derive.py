"""Make body.yaml and meshes/ from NeuroMechFly (source and licence: README.md).

    python derive.py UPSTREAM STEP

UPSTREAM is a checkout of github.com/NeLy-EPFL/NeuroMechFly or its folder `data`; STEP the averaged step
``single_step_untethered.npz`` (see kinematics/README.md), whose first moment is the pose that the fly stands in.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import numpy as np

from cosim.body import build
from cosim.body.algebra import rotations
from cosim.body.fluid import FRAME, TURN
from cosim.body.importer.hull import read_vertices
from cosim.body.importer.options import ImportOptions, ServoOptions, parse_units
from cosim.body.importer.read import read_model
from cosim.body.importer.run import import_body
from cosim.body.importer.write import UnitNames
from cosim.body.inertia import rotation
from cosim.spec.body import WorldSpec
from cosim.spec.load import load_document

HERE = Path(__file__).parent
SDF = "design/sdf/neuromechfly_noLimits_ground.sdf"
LEGS = tuple(side + place for side in "LR" for place in "FMH")
MOVING = ("Coxa", "Coxa_roll", "Coxa_yaw", "Femur", "Femur_roll", "Tibia", "Tarsus1")
# degrees; what is not named here and does not move is at 0
FROZEN = {
    "joint_A3": -15, "joint_A4": -15, "joint_A5": -15, "joint_A6": -15, "joint_Head": 10, "joint_Rostrum": 90,
    "joint_Haustellum": -60, "joint_LAntenna": 35, "joint_RAntenna": -35, "joint_LWing_roll": 90,
    "joint_RWing_roll": -90, "joint_LWing_yaw": -17, "joint_RWing_yaw": 17,
}  # fmt: skip
COLLIDE = ("Thorax", "A1A2", "A3", "A4", "A5", "A6", "Head", "[LR][FMH]Tibia", "[LR][FMH]Tarsus?")
COLORS = {
    "?Eye": (0.5, 0.1, 0.1), "?Wing": (0.8, 0.8, 0.85), "[LR][FMH]*": (0.72, 0.55, 0.3), "A[456]": (0.35, 0.25, 0.15),
    "*": (0.6, 0.45, 0.25),
}  # fmt: skip
SERVO = ServoOptions(kp="kp", kd="kd", armature="armature", max_torque="max_torque")

HEAD = """\
# The adult fruit fly NeuroMechFly. Made by derive.py; source, licence and what was changed: README.md.
# Root frame: that of the thorax; forward is +x, left +y, up +z.
title: Drosophila melanogaster, NeuroMechFly, 42 hinges in six legs
cite: ["doi:10.1038/s41592-022-01466-7"]     # Lobato-Rios et al. 2022 (model: Apache License 2.0)
length: 2.5 mm
axis: [Thorax]
forward: [1, 0, 0]

parameters:
  # servos: stable at 0.1 ms; stiffer ones need a smaller step or a larger armature
  kp: 100 uN*mm/rad
  kd: 0.03 uN*mm*s/rad
  armature: 5e-6 g*mm^2
  max_torque: 30 uN*mm
  adhesion: 5 uN
  height: {height} mm                # of the thorax at the beginning: standing on ground at 0

solver: {{length: 1 mm, mass: 1 g, iterations: 10, contact_erp: 0.1, friction_erp: 0}}
fall: {{tilt: 60 deg}}
feet:
{feet}

initial:
  at: [{x} mm, 0, height]     # the origin of the model's frame is below the world's
  joints:
{joints}
"""


def main(upstream: Path, step: Path) -> None:
    """Write the body's files beside this script."""
    data = upstream if (upstream / "design").is_dir() else upstream / "data"
    units = parse_units("mm,g,s")
    thorax = read_model(data / SDF, units).links["Thorax"]
    assert abs(thorax.mass - 3.07e-7) < 1e-9, "this is not the model that README.md names"
    source = np.load(step)
    stance = dict(zip(source["joints"].tolist(), source["angles_rad"][0].tolist(), strict=True))
    options = ImportOptions(
        units, freeze={name: float(np.deg2rad(angle)) for name, angle in FROZEN.items()},
        free=tuple(f"joint_[LR][FMH]{part}" for part in MOVING), collide=COLLIDE, sites=("[LR][FMH]Tarsus?",),
        servo=SERVO, colors=COLORS,
    )  # fmt: skip
    names = UnitNames("mm", "g")

    def written(folder: Path, height: float) -> Path:
        feet = [f"  {leg}: {{link: {leg}Tarsus1, adhesion: adhesion}}" for leg in LEGS]
        joints = [f"    {name}: {stance[name]:.4f} rad" for leg in LEGS for part in MOVING
                  if (name := f"joint_{leg}{part}")]  # fmt: skip
        head = HEAD.format(height=f"{height:.4f}", x="0.4807667", feet="\n".join(feet), joints="\n".join(joints))
        return import_body(data / SDF, folder, options, names, name="fly", head=head).path

    with tempfile.TemporaryDirectory() as folder:
        lowest = lowest_point(written(Path(folder), 0.0))
    imported = written(HERE, -1e3 * lowest)
    print(imported)


def lowest_point(path: Path) -> float:
    """The lowest vertex of what collides, m."""
    spec = load_document(str(path), kind="body").spec
    body = build(spec, WorldSpec(), 1e-6, 1)
    found = []
    for row, name in enumerate(body.links):
        turn, at = rotations(body.table[row : row + 1, TURN])[0], body.table[row, FRAME]
        for part in spec.links[name].parts:
            if part.collide:
                points = read_vertices(spec.directory / part.shape.mesh.file)
                points = points @ rotation(part.rpy).T + np.array(part.at)
                found.append((points @ turn.T + at)[:, 2].min())
    body.close()
    return float(min(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
