"""flygym replays its own clip of a walking fly. Run by a Python that has flygym (3.12 or later) and not cosim.

    python flygym_peer.py STEP READ_EVERY SECONDS

As in flygym's own benchmark: position servos, adhesion on, flat ground; `STEP` in s. Joint angles and speeds, actuator
forces, body positions and ground contacts are read out every `READ_EVERY` steps. One JSON answer for each line on
standard input: seconds that a replay of `SECONDS` took, the model and its compilation not counted.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib.metadata import version


def main(step: float, read_every: int, seconds: float) -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what the simulator prints is no answer
    import numpy as np
    from flygym import Simulation
    from flygym.anatomy import ActuatedDOFPreset, AxisOrder, JointPreset, Skeleton
    from flygym.compose import ActuatorType, FlatGroundWorld, KinematicPosePreset, NeuroMechFly
    from flygym.utils.math import Rotation3D
    from flygym_demo.spotlight_data import MotionSnippet

    fly = NeuroMechFly()
    pose = KinematicPosePreset.NEUTRAL
    fly.add_joints(Skeleton(axis_order=AxisOrder.YAW_PITCH_ROLL, joint_preset=JointPreset.LEGS_ONLY), neutral_pose=pose)
    actuated = fly.skeleton.get_actuated_dofs_from_preset(ActuatedDOFPreset.LEGS_ACTIVE_ONLY)
    fly.add_actuators(actuated, actuator_type=ActuatorType.POSITION, kp=50.0, neutral_input=pose)
    fly.add_leg_adhesion()
    world = FlatGroundWorld()
    world.add_fly(fly, (0, 0, 0.8), Rotation3D("quat", (1, 0, 0, 0)))
    simulation = Simulation(world, timestep=step)
    kind, name = ActuatorType.POSITION, fly.name
    angles = MotionSnippet().get_joint_angles(step, fly.get_actuated_jointdofs_order(kind))
    steps = min(round(seconds / step), len(angles))

    def replay() -> float:
        simulation.reset()
        simulation.set_leg_adhesion_states(name, np.ones(6))
        begin = time.perf_counter()
        for k in range(steps):
            simulation.set_actuator_inputs(name, kind, angles[k])
            simulation.step()
            if (k + 1) % read_every == 0:
                simulation.get_joint_angles(name)
                simulation.get_joint_velocities(name)
                simulation.get_actuator_forces(name, kind)
                simulation.get_body_positions(name)
                simulation.get_ground_contact_info(name)
        return time.perf_counter() - begin

    ready = {"flygym": version("flygym"), "mujoco": version("mujoco"), "joints": len(actuated), "steps": steps}
    print(json.dumps(ready), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps({"seconds": replay()}), file=answers, flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]))
