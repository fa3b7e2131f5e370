"""Reference files and the comparison with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cosim.analyse.reference import compare, load_reference, pearson, rmse
from cosim.errors import UserError

HEAD = "metric,index,value,unit,sd,source\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "swim.csv"
    path.write_text(text)
    return path


def test_a_reference_with_a_list_and_comments(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# animal\n" + HEAD + 'frequency,,3.17,Hz,0.2,"Karakasiliotis, 2013"\n\n'
        "joint_amplitude,2,13.4,deg,,A\njoint_amplitude,1,10.8,deg,1.5,A\nrate_EX,,41,Hz,,B\n",
    )
    found = load_reference(path)
    assert (found["frequency"].values, found["frequency"].sd) == ((3.17,), (0.2,))
    assert found["frequency"].source == "Karakasiliotis, 2013"
    assert found["joint_amplitude"].values == (10.8, 13.4)
    assert found["joint_amplitude"].sd[0] == 1.5
    assert np.isnan(found["joint_amplitude"].sd[1])
    assert found["rate_EX"].unit == "Hz"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "swim.csv:1:1: the file is empty"),
        ("metric,value\n", "swim.csv:1:1: expected the columns metric,index,value,unit,sd,source, got metric,value"),
        (HEAD + "frequency,,3\n", "swim.csv:2:1: expected 6 values, got 3"),
        (HEAD + "frequncy,,3,Hz,,\n", "swim.csv:2:1: metric: no metric 'frequncy'"),
        (HEAD + "frequency,,3,rad,,\n", "swim.csv:2:1: unit: frequency is in Hz, got rad"),
        (HEAD + "\nfrequency,,three,Hz,,\n", "swim.csv:3:1: value: 'three' is not a number"),
        (HEAD + "frequency,,,Hz,,\n", "swim.csv:2:1: value: expected a finite number"),
        (HEAD + "frequency,,3,Hz,-1,\n", "swim.csv:2:1: sd: a standard deviation cannot be negative"),
        (HEAD + "joint_amplitude,0,3,deg,,\n", "swim.csv:2:1: index: expected a whole number from 1 on, got 0"),
        (HEAD + "joint_amplitude,inf,3,deg,,\n", "swim.csv:2:1: index: expected a whole number from 1 on, got inf"),
        (
            HEAD + "joint_amplitude,1,3,deg,,\njoint_amplitude,3,3,deg,,\n",
            "swim.csv:3:1: index: joint_amplitude: the indices must be 1 to 2, got 1, 3",
        ),
        (HEAD + "frequency,,3,Hz,,\nfrequency,,4,Hz,,\n", "the indices must be 1 to 2, got none, none"),
    ],
)
def test_mistakes_name_the_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        load_reference(write(tmp_path, text))
    assert message in str(caught.value)


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load_reference(write(tmp_path, HEAD + "frequency,,x,Hz,,\nspeed,,1,m/s,,\n"))
    assert [problem.line for problem in caught.value.problems] == [2, 3]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such reference file"):
        load_reference(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        load_reference(tmp_path)


def test_pearson_and_rmse() -> None:
    assert pearson([1, 2, 3], [2, 4, 6]) == pytest.approx(1.0, abs=1e-12)
    assert pearson([1, 2, 3], [3, 2, 1]) == pytest.approx(-1.0, abs=1e-12)
    assert np.isnan(pearson([1, 2], [2, 4]))
    assert np.isnan(pearson([1, 1, 1], [1, 2, 3]))
    assert rmse([1, 2, 3], [1, 2, 7]) == pytest.approx(4 / np.sqrt(3), rel=1e-12)


def test_compare_one_number_and_a_list(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        HEAD + "speed,,0.7,BL/s,,\n" + "".join(f"joint_amplitude,{i},{10 * i},deg,,\n" for i in (1, 2, 3)),
    )
    rows = compare({"joint_amplitude": [11, 18, 30], "speed": 0.63}, load_reference(path))
    speed, joints = rows
    assert speed.relative_error == pytest.approx(-0.1, abs=1e-12)
    assert speed.rmse == pytest.approx(0.07, abs=1e-12)
    assert np.isnan(speed.r)
    assert joints.relative_error == pytest.approx((0.1 + 0.1 + 0) / 3, abs=1e-12)
    assert joints.r == pytest.approx(np.corrcoef([11, 18, 30], [10, 20, 30])[0, 1], abs=1e-12)
    with pytest.raises(UserError, match="joint_amplitude: measured 2 values, the reference has 3"):
        compare({"joint_amplitude": [1, 2]}, load_reference(path))


def test_a_metric_that_does_not_exist_in_the_run_compares_as_nan(tmp_path: Path) -> None:
    reference = load_reference(write(tmp_path, HEAD + "speed,,0.7,BL/s,,\nfrequency,,3,Hz,,\n"))
    (row,) = compare({"speed": None}, reference)
    assert np.isnan(row.measured[0])
    assert np.isnan(row.relative_error)
