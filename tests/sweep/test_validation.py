"""A sweep beside the animal: values, lists, curves, matched lesions, survival."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from cosim.analyse.reference import read_references
from cosim.sweep.intervals import wilson
from cosim.sweep.statistics import statistics
from cosim.sweep.table import read
from cosim.sweep.validated import Validation
from cosim.sweep.validation import matched, validate
from tests.sweep.directories import DELAY, Made, write_sweep

pytestmark = pytest.mark.filterwarnings("error")
HEAD = "metric,index,value,unit,sd,source,n,arm,effect,axis,at\n"
NOISE = {1: 0.01, 2: -0.02, 3: 0.03, 4: -0.01, 5: -0.01}


def beside(path: Path, make: Made, reference: str, **plan: object) -> tuple[list[Validation], list[str]]:
    sweep = write_sweep(path / "s", make, **plan)  # type: ignore[arg-type]
    (sweep / "reference.csv").write_text(HEAD + reference)
    return validate(statistics(read(sweep)), read_references(sweep / "reference.csv"))


def lesioned(arm: str, place: dict[str, float], seed: int) -> dict[str, object]:
    """Speed 0.7: halved by a cut, a fifth more without one class, a little noise about none for the sham."""
    factor = {"intact": 1.0, "cut": 0.5, "class": 1.2, "sham": 1.0 + NOISE[seed]}[arm]
    return {"speed": 0.7 * factor * (1 + NOISE[seed]), "frequency": None if arm == "cut" and seed < 4 else 3.0,
            "joint_amplitude": [10.0 * factor, 20.0, 30.0]}  # fmt: skip


ARMS = ["intact", "cut", "class", "sham"]
MEASURE = ["speed", "frequency", "joint_amplitude"]


def test_values_and_lists_stand_beside_the_animals(tmp_path: Path) -> None:
    rows, notes = beside(
        tmp_path, lesioned,
        "speed,,0.8,BL/s,0.05,A,12,,,,\nspeed,,0.3,BL/s,,A,,cut,,,\n"
        "joint_amplitude,1,11,deg,,B,,,,,\njoint_amplitude,2,22,deg,1,B,,,,,\njoint_amplitude,3,33,deg,,B,,,,,\n",
        arms=ARMS, measure=MEASURE,
    )  # fmt: skip
    speed, cut, joints = rows
    assert not notes
    assert (speed.kind, speed.n) == ("value", 5)
    assert speed.agreement.distances[0] == pytest.approx((0.7 - 0.8) / 0.05, rel=1e-9)
    assert speed.agreement.relative_error == pytest.approx(-0.125, rel=1e-9)
    assert speed.animals[0].low < 0.8 < speed.animals[0].high
    assert cut.simulated[0] == pytest.approx(0.35, rel=1e-9)
    assert (joints.kind, joints.simulated) == ("list", (10.0, 20.0, 30.0))
    assert joints.agreement.r == pytest.approx(1.0, abs=1e-12)
    assert joints.agreement.bias == pytest.approx(-2.0, rel=1e-12)
    assert joints.agreement.nrmse == pytest.approx(math.sqrt(14 / 3) / 22, rel=1e-12)


def test_signs_and_sizes_of_effects(tmp_path: Path) -> None:
    rows, _ = beside(
        tmp_path, lesioned,
        "speed,,,%,6,A,6,cut,-40,,\nspeed,,,%,8,A,6,class,-20,,\nspeed,,,,0.1,A,6,sham,0.3,,\n"
        "frequency,,,%,,A,,cut,-10,,\nfrequency,,,%,40,A,5,class,10,,\n",
        arms=ARMS, measure=MEASURE,
    )  # fmt: skip
    cut, other, sham, lost, unclear = rows
    assert cut.simulated[0] == pytest.approx(-0.5, rel=1e-9)
    assert (cut.sign, cut.size, cut.ratio) == ("agrees", "within 2 SD", pytest.approx(1.25))
    assert cut.agreement.distances[0] == pytest.approx(-0.1 / 0.06, rel=1e-9)
    assert (other.sign, other.size) == ("opposite", "beyond 2 SD")
    assert sham.sign == "not clear in the simulation"
    assert (lost.n, lost.simulated[0], lost.sign) == (2, 0.0, "not clear in the simulation")
    assert lost.size == ""
    assert unclear.sign == "not clear in either"
    together = matched(rows)
    assert together is not None
    assert (together.effects, together.clear, together.agree) == (5, 2, 1)
    assert (together.with_sd, together.within) == (4, 2)
    assert matched([]) is None


def test_an_effect_on_a_rhythm_that_is_gone_is_not_compared(tmp_path: Path) -> None:
    def make(arm: str, place: dict[str, float], seed: int) -> dict[str, object]:
        return {"frequency": None if arm == "cut" else 3.0}

    (row,), _ = beside(tmp_path, make, "frequency,,,%,5,A,6,cut,-40,,\n", arms=["intact", "cut"], measure=["frequency"])
    assert row.sign == "none left to compare: 0 of 5 survive"
    assert math.isnan(row.simulated[0]) and row.size == ""
    together = matched([row])
    assert together is not None and math.isnan(together.rmse)


def test_rates_of_survival(tmp_path: Path) -> None:
    rows, _ = beside(
        tmp_path, lesioned, "survival,,0.5,,,A,6,cut,,,\nsurvival,,0.05,,,A,200,,,,\n", arms=ARMS, measure=MEASURE
    )
    cut, intact = rows
    assert (cut.simulated, cut.intervals[0], cut.animals[0]) == ((0.4,), wilson(2, 5), wilson(3, 6))
    assert cut.size == "intervals overlap"
    assert (intact.simulated, intact.size) == ((1.0,), "intervals apart")


def test_a_measured_curve_over_an_axis(tmp_path: Path) -> None:
    def make(arm: str, place: dict[str, float], seed: int) -> dict[str, object]:
        delay = place["wires.stretch.delay"]
        return {"frequency": None if delay == 0.04 and seed > 1 else 3.0 - 40.0 * delay}

    rows, notes = beside(
        tmp_path, make,
        "frequency,,3,Hz,0.1,A,5,,,wires.stretch.delay,0 ms\nfrequency,,2.5,Hz,0.1,A,5,,,wires.stretch.delay,5 ms\n"
        "frequency,,2,Hz,0.1,A,5,,,wires.stretch.delay,0.02 s\nfrequency,,1,Hz,0.1,A,5,,,wires.stretch.delay,50 ms\n",
        axes=[DELAY], measure=["frequency"],
    )  # fmt: skip
    (curve,) = rows
    assert notes == ["frequency: 1 of 4 measured values lie outside of what was swept on wires.stretch.delay"]
    assert (curve.kind, curve.place, curve.n) == ("curve", (None,), 5)
    assert curve.reference.at == ("0 ms", "5 ms", "0.02 s")
    assert curve.simulated == pytest.approx((3.0, 2.8, 2.2), rel=1e-12)
    assert curve.agreement.bias == pytest.approx(0.5 / 3, rel=1e-9)
    assert curve.agreement.distances == pytest.approx((0.0, 3.0, 2.0), abs=1e-9)


@pytest.mark.parametrize(
    ("reference", "note"),
    [
        ("speed,,0.7,BL/s,,,,cutt,,,\n", "speed: the sweep has no arm cutt, did you mean 'cut'?"),
        ("tail_beat,,0.1,BL,,,,,,,\n", "tail_beat: not measured in this sweep"),
        ("joint_amplitude,1,11,deg,,,,,,,\n", "joint_amplitude: 3 values were measured, the reference has 1"),
        (
            "speed,,0.7,BL/s,,,,,,wires.stretch.delya,1 ms\n",
            "speed: the sweep does not vary wires.stretch.delya over numbers, did you mean 'wires.stretch.delay'?",
        ),
        (
            "speed,,0.7,BL/s,,,,,,wires.stretch.delay,1 mV\n",
            "speed: wires.stretch.delay is swept in s, the reference has 1 mV",
        ),
        (
            "joint_amplitude,,0.7,deg,,,,,,wires.stretch.delay,1 ms\n",
            "joint_amplitude: a list of values makes no curve over wires.stretch.delay",
        ),
    ],
)
def test_what_cannot_be_compared_is_told(tmp_path: Path, reference: str, note: str) -> None:
    rows, notes = beside(
        tmp_path, lesioned, reference, axes=[DELAY], arms=["intact", "cut"], seeds=[1], measure=MEASURE
    )
    assert (rows, notes) == ([], [note])
