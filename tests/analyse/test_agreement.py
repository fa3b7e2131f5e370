"""How simulated values go with measured ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cosim.analyse.agreement import bias, compare, distance, nrmse, pearson, rmse
from cosim.analyse.reference import Reference
from cosim.analyse.tables import lines
from cosim.errors import UserError

NAN = math.nan
SPEED = Reference("speed", (0.7,), (0.05,), "BL/s", "A", (12.0,))
JOINTS = Reference("joint_amplitude", (10.0, 20.0, 30.0), (2.0, NAN, 4.0), "deg", "B", (NAN,) * 3)


def test_pearson_errors_and_bias() -> None:
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0, abs=1e-12)
    assert pearson([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0, abs=1e-12)
    assert np.isnan(pearson([1, 2], [2, 4]))
    assert np.isnan(pearson([1, 1, 1], [1, 2, 3]))
    assert rmse([1, 2, 3], [1, 2, 7]) == pytest.approx(4 / np.sqrt(3), rel=1e-12)
    assert nrmse([1, 2, 3], [1, 2, 7]) == pytest.approx(4 / np.sqrt(3) / 6, rel=1e-12)
    assert bias([1, 2, 3], [1, 2, 7]) == pytest.approx(-4 / 3, rel=1e-12)
    assert np.isnan(nrmse([2], [3]))
    assert distance(0.6, 0.7, 0.05) == pytest.approx(-2.0, rel=1e-12)
    assert np.isnan(distance(0.6, 0.7, NAN))


def test_compare_one_number_and_a_list() -> None:
    reference = {"speed": SPEED, "joint_amplitude": JOINTS}
    speed, joints = compare({"joint_amplitude": [11, 18, 30], "speed": 0.63}, reference)
    assert speed.relative_error == pytest.approx(-0.1, abs=1e-12)
    assert (speed.rmse, speed.bias) == pytest.approx((0.07, -0.07), abs=1e-12)
    assert speed.distances == pytest.approx((-1.4,), rel=1e-9)
    assert np.isnan(speed.r) and np.isnan(speed.nrmse)
    assert joints.relative_error == pytest.approx((0.1 + 0.1 + 0) / 3, abs=1e-12)
    assert joints.r == pytest.approx(np.corrcoef([11, 18, 30], [10, 20, 30])[0, 1], abs=1e-12)
    assert joints.nrmse == pytest.approx(np.sqrt(5 / 3) / 20, rel=1e-12)
    assert joints.bias == pytest.approx(-1 / 3, rel=1e-12)
    assert joints.distances == pytest.approx((0.5, NAN, 0.0), nan_ok=True)
    with pytest.raises(UserError, match="joint_amplitude: measured 2 values, the reference has 3"):
        compare({"joint_amplitude": [1, 2]}, reference)


def test_a_metric_that_does_not_exist_in_the_run_compares_as_nan() -> None:
    (row,) = compare({"speed": None}, {"speed": SPEED, "joint_amplitude": JOINTS})
    assert np.isnan(row.measured[0])
    assert np.isnan(row.relative_error)


def test_lines_of_a_report_show_spread_number_and_distance() -> None:
    speed, summary, first, second, _ = lines({"speed": 0.63, "joint_amplitude": [11.0, 18.0, 30.0]},
                                             {"speed": SPEED, "joint_amplitude": JOINTS})  # fmt: skip
    assert (speed.reference, speed.distance, speed.bias) == ("0.7 ± 0.05 (n = 12)", "-1.40", "-0.07")
    assert (summary.nrmse, summary.bias) == ("0.0645", "-0.333")
    assert (first.reference, first.distance) == ("10 ± 2", "+0.50")
    assert (second.reference, second.distance) == ("20", "")
