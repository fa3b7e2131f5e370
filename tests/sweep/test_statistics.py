"""Statistics of a sweep: pairs, survivors, contrasts of the three arms, corrections."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from cosim.sweep.intervals import bootstrap, paired_effect, wilson
from cosim.sweep.significance import sign_flip
from cosim.sweep.statistics import Cell, Comparison, cells, comparisons, contrasts, rhythm
from cosim.sweep.table import Table, read
from tests.sweep.directories import DELAY, write_sweep

pytestmark = pytest.mark.filterwarnings("error")
NOISE = [0.02, -0.05, 0.01, 0.04, -0.02]


def made(arm: str, place: dict[str, float], seed: int) -> dict[str, float | None] | str | None:
    """Speed 0.7 + noise of the seed; the lesion takes 0.3 + 0.01 seed away; it kills the rhythm of seeds 4 and 5."""
    noise = NOISE[seed - 1]
    if arm == "cut":
        if seed == 5:
            return "blew up at 2 s"
        return {"speed": 0.4 + noise - 0.01 * seed, "frequency": None if seed == 4 else 2.0}
    return {"speed": 0.7 + noise, "frequency": 3.0}


def one(found: list[Comparison], metric: str, kind: str = "effect") -> Comparison:
    (match,) = [x for x in found if x.metric == metric and x.contrast.kind == kind]
    return match


def cell(found: list[Cell], arm: str, metric: str) -> Cell:
    (match,) = [x for x in found if (x.arm, x.metric) == (arm, metric)]
    return match


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return read(write_sweep(tmp_path / "s", made, arms=["intact", "cut"]))


def test_means_are_those_of_the_survivors(table: Table) -> None:
    found = cells(table)
    intact, lesion = cell(found, "intact", "speed"), cell(found, "cut", "speed")
    values = 0.7 + np.array(NOISE)
    assert (intact.planned, intact.finished, intact.failed, intact.n, intact.rate) == (5, 5, 0, 5, 1.0)
    assert intact.mean == pytest.approx(values.mean(), rel=1e-12)
    assert intact.sd == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert intact.interval == bootstrap(values)
    assert (lesion.finished, lesion.failed, lesion.n) == (5, 1, 4)
    assert lesion.mean == pytest.approx(np.mean([0.41, 0.33, 0.38, 0.40]), rel=1e-12)
    lost = cell(found, "cut", "frequency")
    assert (lost.n, lost.rate, lost.rate_interval) == (3, 0.6, wilson(3, 5))
    assert rhythm(table) == "frequency"


def test_differences_are_paired_by_seed(table: Table) -> None:
    speed = one(comparisons(table), "speed")
    differences = np.array([-0.31, -0.32, -0.33, -0.34])
    assert (speed.both, speed.pairs, speed.survive, speed.survive_against) == (5, 4, 4, 5)
    assert speed.difference == pytest.approx(-0.325, rel=1e-12)
    assert speed.sd == pytest.approx(np.std(differences, ddof=1), rel=1e-9)
    assert speed.effect.size == pytest.approx(paired_effect(differences).size, rel=1e-9)
    assert speed.relative == pytest.approx(-0.325 / np.mean([0.72, 0.65, 0.71, 0.74]), rel=1e-12)
    assert speed.relative_interval.low < speed.relative < speed.relative_interval.high
    assert speed.p == 2 / 2**4
    # the rhythm was lost in two of five: the others' sign can be turned together or not
    frequency = one(comparisons(table), "frequency")
    assert (frequency.pairs, frequency.difference, frequency.sd) == (3, -1.0, 0.0)
    assert math.isnan(frequency.effect.size)
    assert frequency.p_survival == sign_flip(np.array([0, 0, 0, -1.0, -1.0])) == 0.5


def test_the_correction_counts_comparisons_of_a_kind_and_metric(tmp_path: Path) -> None:
    def make(arm: str, place: dict[str, float], seed: int) -> dict[str, object]:
        shift = {"intact": 0.0, "a": 0.1 * seed, "b": 0.01 * (-1) ** seed}[arm]
        return {"speed": shift + place["wires.stretch.delay"], "joint_amplitude": [1.0 + shift, 2.0 + shift]}

    found = comparisons(read(write_sweep(
        tmp_path / "s", make, axes=[DELAY], arms=["intact", "a", "b"], measure=["speed", "joint_amplitude"]
    )))  # fmt: skip
    assert len(found) == 2 * 3 * 3
    assert {x.metric: x.comparisons for x in found} == {
        "speed": 6, "joint_amplitude[1]": 12, "joint_amplitude[2]": 12,
    }  # fmt: skip
    speed = [x for x in found if x.metric == "speed"]
    assert [x.p for x in speed] == [2 / 32] * 3 + [1.0] * 3
    assert [x.holm for x in speed] == [6 * 2 / 32] * 3 + [1.0] * 3


def test_contrasts_of_three_arms() -> None:
    found = contrasts(["intact", "cut", "half", "intact+shuffled", "cut+shuffled"])
    assert [(x.kind, x.arm, x.against) for x in found] == [
        ("effect", "cut", "intact"),
        ("effect", "half", "intact"),
        ("control", "intact", "intact+shuffled"),
        ("control", "cut", "cut+shuffled"),
        ("control", "half", "intact+shuffled"),
        ("effect under control", "cut+shuffled", "intact+shuffled"),
        ("specific", "cut", "intact and cut+shuffled"),
    ]
    assert [x.kind for x in contrasts(["cut", "cut+shuffled"])] == ["control"]
    assert contrasts(["intact"]) == []


def test_lesion_against_intact_and_control(tmp_path: Path) -> None:
    speeds = {"intact": 0.7, "cut": 0.3, "intact+shuffled": 0.5, "cut+shuffled": 0.4}

    def make(arm: str, place: dict[str, float], seed: int) -> dict[str, float]:
        return {"speed": speeds[arm] + 0.01 * seed * (arm == "cut")}

    found = comparisons(read(write_sweep(tmp_path / "s", make, arms=list(speeds), measure=["speed"])))
    means = {(x.contrast.kind, x.contrast.arm): x.difference for x in found}
    assert means == {
        ("effect", "cut"): pytest.approx(-0.37),
        ("control", "intact"): pytest.approx(0.2),
        ("control", "cut"): pytest.approx(-0.07),
        ("effect under control", "cut+shuffled"): pytest.approx(-0.1),
        ("specific", "cut"): pytest.approx(-0.27),
    }
    assert math.isnan(one(found, "speed", "specific").relative)


def test_one_seed_has_no_spread_and_no_effect_size(tmp_path: Path) -> None:
    table = read(write_sweep(tmp_path / "s", made, arms=["intact", "cut"], seeds=[1]))
    found = cell(cells(table), "intact", "speed")
    assert (found.n, found.mean) == (1, pytest.approx(0.72))
    assert math.isnan(found.sd) and math.isnan(found.interval.low)
    speed = one(comparisons(table), "speed")
    assert (speed.pairs, speed.p, speed.difference) == (1, 1.0, pytest.approx(-0.31))
    assert math.isnan(speed.sd) and math.isnan(speed.effect.size)


def test_runs_that_are_missing_do_not_count_and_runs_that_failed_do(tmp_path: Path) -> None:
    table = read(write_sweep(
        tmp_path / "s", lambda arm, place, seed: {1: None, 2: "killed"}.get(seed, {"speed": 1.0}), seeds=[1, 2, 3],
        arms=["intact", "cut"], measure=["speed"],
    ))  # fmt: skip
    found = cell(cells(table), "cut", "speed")
    assert (found.planned, found.finished, found.failed, found.n, found.rate) == (3, 2, 1, 1, 0.5)
    assert (one(comparisons(table), "speed").both, one(comparisons(table), "speed").pairs) == (2, 1)
    empty = read(write_sweep(tmp_path / "t", lambda *_: None, arms=["intact", "cut"], measure=["speed"]))
    nothing = cell(cells(empty), "cut", "speed")
    assert (nothing.planned, nothing.finished, nothing.n) == (5, 0, 0)
    assert math.isnan(nothing.rate) and math.isnan(nothing.rate_interval.low)
    assert math.isnan(one(comparisons(empty), "speed").p)


def test_phases_are_averaged_on_the_circle(tmp_path: Path) -> None:
    def make(arm: str, place: dict[str, float], seed: int) -> dict[str, float]:
        return {"left_right_phase": ({"intact": 0.98, "cut": 0.48}[arm] + 0.02 * seed) % 1.0}

    table = read(write_sweep(
        tmp_path / "s", make, arms=["intact", "cut"], seeds=[1, 2, 3], measure=["left_right_phase"]
    ))  # fmt: skip
    intact = cell(cells(table), "intact", "left_right_phase")
    assert intact.mean == pytest.approx(0.02, abs=1e-12) or intact.mean == pytest.approx(1.02, abs=1e-12)
    assert intact.sd == pytest.approx(0.02, rel=1e-9)
    difference = one(comparisons(table), "left_right_phase")
    assert abs(difference.difference) == pytest.approx(0.5, abs=1e-9)
    assert math.isnan(difference.relative)


def test_statistics_repeat_to_the_bit(table: Table) -> None:
    assert repr(cells(table)) == repr(cells(table))
    assert repr(comparisons(table)) == repr(comparisons(table))
