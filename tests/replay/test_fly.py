"""The shipped replays of the fly, a moment of each."""

from __future__ import annotations

from pathlib import Path

import pytest

import cosim
from cosim.replay.audit import audit, take_steps
from cosim.replay.keypoints import direction_errors

REPLAYS = ("fly_walking", "fly_walking_ball", "fly_walking_fixed", "fly_walking_spotlight")


@pytest.mark.parametrize("name", REPLAYS)
def test_torques_are_those_that_the_motion_needs(name: str) -> None:
    taken, joints = take_steps(cosim.load(name), 0.03)
    assert len(joints) == 42
    assert len(taken.loads.link) > 0
    found = audit(taken, joints)
    assert found.torque_error < 1e-10
    if taken.tether != "fixed":
        assert found.momentum_error < 2e-9  # N


def test_legs_follow_and_carry_the_weight(tmp_path: Path) -> None:
    experiment = cosim.load("fly_walking", {"duration": "0.2 s", "transient": "50 ms"})
    metrics = experiment.run(out=tmp_path / "run").metrics
    assert metrics["tracking_rmse_mean"] < 0.8
    assert metrics["tracking_rmse_worst"] < 2.0
    assert metrics["vertical_force_over_weight"] == pytest.approx(1, abs=0.05)
    assert metrics["contact_balanced_accuracy"] > 0.6


def test_the_free_flys_segments_point_where_they_were_seen(tmp_path: Path) -> None:
    """In the air, so that nothing but the mapping (order of rotations, names) and the filter counts."""
    air = {"world.tether": "fixed", "world.ground": "none", "world.gravity": 0, "duration": "0.1 s", "measure": {}}
    sensors = ["joint_angle", "link_position", "link_orientation", "site_position"]
    experiment = cosim.load("fly_walking_spotlight", {**air, "record.body.sensors": sensors})
    assert experiment.spec.replay is not None and experiment.spec.replay.keypoints is not None
    result = experiment.run(out=tmp_path / "run")
    errors = direction_errors(result, experiment.spec.replay.keypoints)
    assert set(errors) == {"LF", "LM", "LH", "RF", "RM", "RH"}
    for leg, found in errors.items():
        assert found.mean() < 8, leg  # deg; another order of rotations is off by tens
