"""The whole of `cosim replay`: run, check, bands, page, fit; on a body of two legs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cosim
from cosim.cli import main
from cosim.replay.comparing import bands_of, says
from cosim.replay.variants import Curves, Failure, combinations, curves_of, one_at_a_time, run_variants

SECTION = """\
measure: {replay: {contacts: contacts.csv, threshold: 0.3 uN, shifts: 5}}
replay:
  vary: {world.ground.plane.friction: [0.5, 2]}
  records: [other.csv]
  speeds: speeds.csv
  fit: {until: 50 ms, thresholds: [0.3 uN, 1 uN], vary: {world.ground.plane.friction: [0.5, 1]}}
"""

WRONG_PATH = "replay.vary={world.ground.plane.frction: [1]}"


@pytest.fixture
def stand(zoo: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = zoo / "run/stand.yaml"
    path.write_text(path.read_text() + SECTION, encoding="utf-8")
    rows = [f"{t},{1 - t // 10 % 2},{t // 10 % 2}" for t in range(0, 100, 10)]
    for name, lines in (("contacts", rows), ("other", rows + [f"{t},1,0" for t in range(100, 200, 10)])):
        (zoo / f"run/{name}.csv").write_text("\n".join(["time [ms],L,R", *lines]) + "\n", encoding="utf-8")
    (zoo / "run/speeds.csv").write_text("fly,mean [mm/s],sd [mm/s]\n1,9.2,7\n", encoding="utf-8")
    monkeypatch.chdir(zoo)
    return path


def test_a_replay_is_checked_varied_compared_and_written_down(stand: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "stand", "--jobs", "1", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert found["check"]["torque_error"] < 1e-10
    assert found["check"]["steps"] == 1000
    low, high = found["ranges"]["ground_speed"]
    assert low <= found["metrics"]["ground_speed"] <= high
    page = Path(found["page"]).read_text(encoding="utf-8")
    for text in ("Check by inverse dynamics", "friction 0.5", "friction 2", "Contacts beside the record",
                 "Records of other animals", "Speed over the ground", "data:image/png"):  # fmt: skip
        assert text in page, text
    assert "not identifiable" not in page


def test_a_fixed_thorax_makes_no_claim_about_sizes(stand: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "stand", "--no-check", "--no-bands", "--set", "world.tether=fixed"]) == 0
    assert "is not identifiable" in capfd.readouterr().out
    assert "not checked by inverse dynamics" in (stand.parents[1] / "results/stand/replay.html").read_text()


def test_the_fit_is_chosen_by_the_first_part(stand: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "stand", "--fit", "--jobs", "1", "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert len(found["all"]) == 4
    scores = [np.nan_to_num(one["first"]["balanced_accuracy"] or 0) + (one["first"]["r"] or 0) for one in found["all"]]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "salamander_replay"], "salamander_replay replays no kinematics"),
        (["replay", "stand", "--fit", "--set", "replay.fit=null"], "--fit needs `replay.fit`"),
        (["replay", "stand", "--set", "record.body.sensors=[joint_angle]"], "a replay needs joint_torque too"),
        (["replay", "stand", "--set", WRONG_PATH], "frction: no such path"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(
    stand: Path, arguments: list[str], message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    code = main([*arguments, "--no-check"])
    lines = [line for line in capfd.readouterr().err.splitlines() if message in line]
    assert len(lines) == 1
    assert code == 2


def test_variants_in_processes_are_those_in_this_one(stand: Path) -> None:
    changes = one_at_a_time({"world.ground.plane.friction": [0.5, 2]})
    here, there = (
        run_variants(stand, {"measure.replay.between": ["20 ms", "80 ms"]}, changes, jobs) for jobs in (1, 2)
    )
    for a, b in zip(here, there, strict=True):
        assert isinstance(a, Curves) and isinstance(b, Curves)
        assert np.array_equal(a.torque, b.torque) and np.array_equal(a.foot, b.foot)


def test_combinations_and_single_changes() -> None:
    vary = {"a": [1, 2], "b": [3, 4]}
    assert combinations(vary) == [{"a": 1, "b": 3}, {"a": 1, "b": 4}, {"a": 2, "b": 3}, {"a": 2, "b": 4}]
    assert one_at_a_time(vary) == [{"a": 1}, {"a": 2}, {"b": 3}, {"b": 4}]


def test_bands_hold_the_replay_and_name_what_failed(stand: Path) -> None:
    own = curves_of(cosim.load(stand, {"measure.replay.between": ["20 ms", "80 ms"]}).run(out=stand.parent / "result"))
    other = Curves(own.time, own.feet, own.foot + 1e-6, own.joints, own.torque, own.power, own.path, own.metrics)
    bands = bands_of(own, {"more": other, "none": Failure("it fell")})
    assert np.array_equal(bands.low.foot, own.foot)
    assert np.array_equal(bands.high.foot, own.foot + 1e-6)
    assert bands.failed == {"none": "it fell"}
    assert "times the weight" in says("fixed", bands)
