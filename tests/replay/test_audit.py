"""Torques and forces of a replay against inverse dynamics that share nothing with the engine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pybullet as p
import pytest

import cosim
from cosim.replay.audit import Steps, audit, take_steps
from cosim.replay.tree import Loads, Motion, inverse_dynamics, place, read_tree

URDF = """\
<robot name="branched">
{links}
{joints}
</robot>
"""
LINK = (
    '<link name="l{i}"><inertial><origin xyz="{at}" rpy="{turn}"/><mass value="{mass}"/>'
    '<inertia ixx="0.013" ixy="0.001" ixz="-0.0005" iyy="0.016" iyz="0.0007" izz="0.018"/></inertial></link>'
)
JOINT = (
    '<joint name="j{i}" type="{kind}"><parent link="l{parent}"/><child link="l{i}"/><origin xyz="{at}" rpy="{turn}"/>'
    '<axis xyz="{axis}"/><limit lower="-9" upper="9" effort="1e5" velocity="1e5"/></joint>'
)
NO_LOADS = Loads(np.zeros(0, np.intp), np.zeros(0, np.intp), np.zeros((0, 3)), np.zeros((0, 3)))
GRAVITY = 9.81


def branched(rng: np.random.Generator) -> str:
    """Six links, skew joints of which one slides, skew principal axes."""

    def text(values: np.ndarray) -> str:
        return " ".join(f"{x:.7f}" for x in values)

    links = [
        LINK.format(i=i, at=text(rng.uniform(-0.1, 0.1, 3)), turn=text(rng.uniform(-1, 1, 3)), mass=0.5 + 0.2 * i)
        for i in range(6)
    ]
    joints = []
    for i, parent in ((1, 0), (2, 0), (3, 2), (4, 3), (5, 3)):
        axis = rng.normal(size=3)
        joints.append(
            JOINT.format(
                i=i, parent=parent, kind="prismatic" if i == 3 else "continuous", at=text(rng.uniform(-0.3, 0.3, 3)),
                turn=text(rng.uniform(-1, 1, 3)), axis=text(axis / np.linalg.norm(axis)),
            )
        )  # fmt: skip
    return URDF.format(links="\n".join(links), joints="\n".join(joints))


@pytest.mark.parametrize("fixed", [True, False])
def test_inverse_dynamics_find_the_torques_that_were_given(tmp_path: Path, fixed: bool) -> None:
    rng = np.random.default_rng(4)
    (tmp_path / "branched.urdf").write_text(branched(rng), encoding="ascii")
    c = p.connect(p.DIRECT)
    try:
        dt, n = 1e-5, 5
        p.setPhysicsEngineParameter(fixedTimeStep=dt, numSubSteps=0, physicsClientId=c)
        p.setGravity(0, 0, -GRAVITY, physicsClientId=c)
        body = p.loadURDF(
            str(tmp_path / "branched.urdf"), useFixedBase=fixed, flags=p.URDF_USE_INERTIA_FROM_FILE, physicsClientId=c
        )
        for i in range(-1, n):
            p.changeDynamics(body, i, linearDamping=0, angularDamping=0, physicsClientId=c)
            p.changeDynamics(body, i, jointDamping=0, maxJointVelocity=1e5, physicsClientId=c)
        p.setJointMotorControlArray(body, range(n), p.VELOCITY_CONTROL, forces=[0] * n, physicsClientId=c)
        q, v, torque = rng.uniform(-1, 1, n), rng.uniform(-2, 2, n), rng.uniform(-3, 3, n)
        if not fixed:
            p.resetBaseVelocity(body, rng.uniform(-1, 1, 3).tolist(), rng.uniform(-2, 2, 3).tolist(), physicsClientId=c)
        for i in range(n):
            p.resetJointState(body, i, q[i], v[i], physicsClientId=c)
        p.setJointMotorControlArray(body, range(n), p.TORQUE_CONTROL, forces=torque.tolist(), physicsClientId=c)
        tree = read_tree(c, body, -1)
        before = _root(body, c)
        p.stepSimulation(physicsClientId=c)
        after = _root(body, c)
        v_after = np.array([state[1] for state in p.getJointStates(body, range(n), physicsClientId=c)])
    finally:
        p.disconnect(c)
    motion = Motion(
        before[0], before[1], before[2], before[3], (after[2] - before[2]) / dt, (after[3] - before[3]) / dt,
        q[None], v[None], (v_after - v)[None] / dt,
    )  # fmt: skip
    found, left = inverse_dynamics(tree, place(tree, motion), GRAVITY, NO_LOADS)
    # Bullet reads inertial frames in single precision
    assert found[0] == pytest.approx(torque, abs=1e-5)
    if not fixed:
        assert left == pytest.approx(0, abs=1e-5)


def _root(body: int, c: int) -> list[np.ndarray]:
    pose, speed = p.getBasePositionAndOrientation(body, physicsClientId=c), p.getBaseVelocity(body, physicsClientId=c)
    return [np.array([x]) for x in (*pose, *speed)]


@pytest.fixture
def steps(zoo: Path, request: pytest.FixtureRequest) -> tuple[Steps, tuple[str, ...]]:
    experiment = cosim.load(zoo / "run/stand.yaml", {"world.tether": request.param})
    return take_steps(experiment, 0.02)


@pytest.mark.parametrize("steps", ["none", "vertical", "fixed"], indirect=True)
def test_a_replay_passes_and_its_own_loads_decide(steps: tuple[Steps, tuple[str, ...]]) -> None:
    taken, joints = steps
    assert len(taken.loads.link) > 100
    found = audit(taken, joints)
    assert found.torque_error < 1e-10
    held = taken.tether == "fixed"
    assert np.isnan(found.root_error) == held
    assert held or found.root_error < 1e-12 * found.torque_rms / 1e-3
    # forces that are off by a hundredth are found out
    wrong = replace(taken, loads=replace(taken.loads, force=1.01 * taken.loads.force))
    assert audit(wrong, joints).torque_error > 1e-4
    # and so is a torque that was not the servo's
    other = taken.torques.copy()
    other[:, 1] *= 1.001
    found = audit(replace(taken, torques=other), joints)
    assert joints[1] == found.worst_joint
    assert 1e-5 < found.torque_error < 1e-3


@pytest.mark.parametrize("steps", ["none"], indirect=True)
def test_momentum_changes_by_the_sum_of_forces(steps: tuple[Steps, tuple[str, ...]]) -> None:
    taken, joints = steps
    assert audit(taken, joints).momentum_error < 2e-9  # N, of a weight of 6.9e-6
    lighter = replace(taken, gravity=0.99 * taken.gravity)
    assert audit(lighter, joints).momentum_error > 2e-8
