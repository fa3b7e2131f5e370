"""A replay as a user runs it: what is recorded, measured, and refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cosim
from cosim.errors import UserError

METRICS = {"measure.replay.threshold": "0.3 uN"}


def test_the_joints_follow_and_the_ground_carries_the_weight(zoo: Path) -> None:
    result = cosim.load(zoo / "run/stand.yaml", METRICS).run(out=zoo / "result")
    assert result.metrics["tracking_rmse_worst"] < 1
    assert result.metrics["vertical_force_over_weight"] == pytest.approx(1, abs=0.01)
    target, angle = result.trace("commands/movement"), result.trace("body/joint_angle")
    assert target.time == pytest.approx(angle.time)
    expected = 0.2 * np.sin(2 * np.pi * 10 * target.time)
    # linear between samples a millisecond apart
    assert target.values[:, 0] == pytest.approx(expected, abs=0.2 * (2 * np.pi * 10 * 1e-3) ** 2 / 8 * 1.01)


def test_it_begins_in_the_movements_first_pose(zoo: Path) -> None:
    table = zoo / "bodies/stander/movement.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], *(f"{line.split(',')[0]},0.3,-0.3,0.3,-0.3" for line in lines[1:])]))
    with cosim.load(zoo / "run/stand.yaml").open() as running:
        readings = running.step()
    assert readings["joint_angle"] == pytest.approx([0.3, -0.3, 0.3, -0.3], abs=2e-3)


def test_contacts_beside_a_record(zoo: Path) -> None:
    (zoo / "run/contacts.csv").write_text(
        "time [ms],L,R\n" + "".join(f"{t},1,{t % 20 // 10}\n" for t in range(0, 100, 10))
    )
    found = cosim.load(zoo / "run/stand.yaml", METRICS | {"measure.replay.contacts": str(zoo / "run/contacts.csv")})
    metrics = found.run(out=zoo / "result").metrics
    # it stands on both feet all the time: that is worth nothing
    assert metrics["contact_balanced_accuracy"] == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"duration": "200 ms"}, "commands.movement.kinematics: the movement lasts 0.101 s, the experiment 0.2 s"),
        ({"commands.movement.write": {"position": ["left_hipp"]}}, "position has no 'left_hipp'"),
        ({"commands.movement.write": {"torque": "all"}}, "write.torque: kinematics are written to position"),
        ({"commands.movement.periodic": True}, "commands.movement.periodic: periodic does not go with kinematics"),
        ({"commands.movement.kinematics": "nothing.yaml"}, "nothing.yaml: no such file"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_line(zoo: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(UserError, match="^[^\n]*$") as caught:
        cosim.load(zoo / "run/stand.yaml", changes)
    assert message in str(caught.value)


def test_a_joint_that_is_not_mapped_is_told_before_the_run(zoo: Path) -> None:
    path = zoo / "bodies/stander/movement.yaml"
    path.write_text(path.read_text() + "joints: {left_hip: left_hip, left_knee: left_ankle}\n")
    with pytest.raises(UserError) as caught:
        cosim.load(zoo / "run/stand.yaml")
    first, second = str(caught.value).splitlines()
    assert "movement.yaml:4" in first and "'left_knee' is no joint of the body" in first
    assert "no column is mapped to the joint 'left_ankle' (and 2 more)" in second


def test_a_wire_that_has_no_kinematics_cannot_be_measured(zoo: Path) -> None:
    result = cosim.load(zoo / "run/stand.yaml", {"commands": {}, **METRICS})
    with pytest.raises(UserError, match="no kinematics were replayed"):
        result.run(out=zoo / "result")
