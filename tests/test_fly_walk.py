"""A fly walks on 240 spiking neurons; the wire that plays its steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cosim
from cosim.checkpoint.keep import listed
from cosim.checkpoint.resume import resume
from cosim.cli.main import main
from cosim.errors import UserError
from cosim.neural.toolchain import has_compiler
from tests.checkpoint.helpers import cut_off
from tests.mpi.helpers import needs_mpi
from tests.mpi.helpers import run as run_on_ranks

needs_compiler = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
MOMENT = {"duration": "40 ms", "transient": "0 s", "measure": {}, "wires.steps.soft_start": "10 ms", "adhesion": 1}
LEGS = ["LF", "LM", "LH", "RF", "RM", "RH"]


def walk(out: Path, **more: Any) -> cosim.Result:
    short = {"duration": "1.2 s", "transient": "0.5 s", "measure": {"walk": {}}}
    return cosim.load("fly_walk", {**short, **more}).run(out=out)


@needs_compiler
def test_it_walks_in_a_tripod(tmp_path: Path) -> None:
    found = walk(tmp_path / "run").metrics
    assert found["fallen"] == 0 and found["tripod_order"] >= 0.9
    assert 10 < found["step_frequency"] < 15 and found["walking_speed"] > 7


@needs_compiler
def test_without_coupling_between_legs_there_is_no_order(tmp_path: Path) -> None:
    assert walk(tmp_path / "run", **{"circuit.coupling": 0}).metrics["tripod_order"] <= 0.6


def moment(out: Path, backend: str = "auto", **more: Any) -> dict[str, str]:
    hashes: dict[str, str] = cosim.load("fly_walk", {**MOMENT, **more}).run(out=out, backend=backend).manifest["hashes"]
    return hashes


@needs_compiler
def test_the_same_bits_on_both_backends(tmp_path: Path) -> None:
    compiled = moment(tmp_path / "compiled", "compiled")
    assert moment(tmp_path / "numpy", "numpy") == compiled
    late = {"motor": "2 ms"}  # then body and network advance at the same time
    assert moment(tmp_path / "late", "compiled", **late) == moment(tmp_path / "late_numpy", "numpy", **late)


@needs_compiler
@needs_mpi
def test_the_same_bits_on_two_ranks(tmp_path: Path) -> None:
    alone = moment(tmp_path / "alone")
    changes = [f"--set={key}={value}" for key, value in MOMENT.items() if key != "measure"]
    done = run_on_ranks(
        2, "-m", "cosim", "run", "fly_walk", *changes, "--set=measure={}", "--out", str(tmp_path / "two")
    )
    assert done.returncode == 0, done.stderr
    assert cosim.Result(tmp_path / "two").manifest["hashes"] == alone


@needs_compiler
def test_what_the_wire_sends_is_where_the_joints_are_told_to_go(tmp_path: Path) -> None:
    # in the air, without gravity: the joints follow what is decoded, two ticks later
    changes = {
        **MOMENT, "duration": "150 ms", "world": {"gravity": "0 m/s^2", "ground": "none"}, "wires.load": None,
        "record.body": {"every": "1 ms", "sensors": ["joint_angle", "position_error"]}, "body.max_torque": "300 uN*mm",
        "adhesion": 0, "wires.steps.trajectory.stance": {}, "wires.steps.trajectory.adhesion": None,
    }  # fmt: skip
    result = cosim.load("fly_walk", changes).run(out=tmp_path / "run")
    wire, angle = result.wire("steps").values, result.trace("body/joint_angle")
    error = result.trace("body/position_error").values
    columns = [list(angle.labels[0]).index(f"joint_{leg}Femur") for leg in LEGS]
    file = Path(cosim.__file__).parents[1] / "circuits/fly_walk/step.csv"
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    names = [cell.split()[0] for cell in lines[0].split(",")]
    step = np.array([[float(x) for x in line.split(",")] for line in lines[1:]])
    for i, leg in enumerate(LEGS):
        curve = step[:, names.index(f"joint_{leg}Femur")]
        phase, amplitude = wire[:, i] / (2 * np.pi), wire[:, 6 + i]
        # linear between the samples: the spline is within 0.02 rad of it
        there = np.interp(phase * len(curve), np.arange(len(curve) + 1), np.append(curve, curve[0]))
        told = curve[0] + amplitude * (there - curve[0])
        reached = angle.values[:, columns[i]] + error[:, columns[i]]
        assert reached == pytest.approx(told[: len(reached)], abs=0.03)


@needs_compiler
def test_a_walk_goes_on_from_a_checkpoint(tmp_path: Path) -> None:
    air = {"world": {"gravity": "0 m/s^2", "ground": "none"}, "wires.load": None, "adhesion": 0,
           "wires.steps.trajectory.stance": {}, "wires.steps.trajectory.adhesion": None}  # fmt: skip
    whole = tmp_path / "whole"
    found = moment(whole, **air, **{"checkpoint": "20 ms", "record.body.sensors": ["com_position"]})
    again = cut_off(whole, tmp_path / "again", int(listed(whole)[-1].stem))
    resume(again)
    assert cosim.Result(again).manifest["hashes"] == found


WRONG = [
    ({"wires.steps.decode.phase.ring": ["P", "D", "R", "Q"]}, "'Q' is not among what the wire reads"),
    ({"wires.steps.decode.phase.ring": ["P", "R"]}, "a ring has three different populations or more"),
    ({"wires.steps.decode.phase.full": None}, "ring needs full"),
    ({"wires.steps.decode": {"filter": {"tau": "15 ms", "gain": 1}}}, "a trajectory needs a phase"),
    ({"wires.steps.trajectory.joints.LF": ["joint_LFCoxa", "joint_LFKnee"]}, "no column 'joint_LFKnee'"),
    ({"wires.steps.trajectory.joints.LF": ["joint_LMCoxa"]}, "joint_LMCoxa is given twice"),
    ({"wires.steps.trajectory.stance.LF": [0.5, 0.2]}, "the stance begins before it ends"),
    ({"wires.course.read": {"link_orientation": ["Thorax.v"]}}, "is not a name"),
    ({"wires.course.read": {"joint_angle": ["joint_LFCoxa.x"]}}, "joint_angle has no 'joint_LFCoxa.x'"),
    ({"adhesion": 2}, "expected a number from 0 to 1"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG, ids=range(len(WRONG)))
def test_mistakes_are_told(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as refusal:
        cosim.load("fly_walk", changes).run(out=tmp_path / "run")
    assert message in str(refusal.value)


def test_the_shipped_walks_are_without_mistakes() -> None:
    assert main(["check", "fly_walk", "fly_oscillators"]) == 0
