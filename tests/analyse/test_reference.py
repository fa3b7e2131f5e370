"""Reference files: what they hold and which mistakes they are refused for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import cosim
from cosim.analyse.reference import Reference, of_a_run, read_references
from cosim.errors import UserError
from cosim.spec.inspect import inspect

HEAD = "metric,index,value,unit,sd,source\n"
WIDE = "metric,index,value,unit,sd,source,n,arm,effect,axis,at\n"


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "swim.csv"
    path.write_text(text)
    return path


def load(path: Path) -> dict[str, Reference]:
    return of_a_run(read_references(path))


def test_a_reference_with_a_list_and_comments(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        "# animal\n" + HEAD + 'frequency,,3.17,Hz,0.2,"Karakasiliotis, 2013"\n\n'
        "joint_amplitude,2,13.4,deg,,A\njoint_amplitude,1,10.8,deg,1.5,A\nrate_EX,,41,Hz,,B\n",
    )
    found = load(path)
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
        (HEAD + "frequncy,,3,Hz,,\n", "swim.csv:2:1: metric: no metric 'frequncy', did you mean 'frequency'?"),
        (HEAD + "frequency,,3,rad,,\n", "swim.csv:2:1: unit: frequency is in Hz, got rad"),
        (HEAD + "\nfrequency,,three,Hz,,\n", "swim.csv:3:1: value: 'three' is not a number"),
        (HEAD + "frequency,,,Hz,,\n", "swim.csv:2:1: value: expected a finite number"),
        (HEAD + "frequency,,3,Hz,-1,\n", "swim.csv:2:1: sd: a standard deviation cannot be negative"),
        (WIDE + "survival,,0.4,,,,,,,w.delay,3 ms\n", "swim.csv:2:1: axis: only values of a metric make a curve"),
        (HEAD + "survival,,40,,,\n", "swim.csv:2:1: value: a rate of survival lies in 0 to 1"),
        (WIDE.replace("axis", "axes"), "swim.csv:1:1: no column 'axes', did you mean 'axis'?"),
        (WIDE.replace("axis", "arm"), "swim.csv:1:1: the column arm stands there twice"),
        (WIDE + "speed,,0.3,BL/s,,,5.5,,,,\n", "swim.csv:2:1: n: expected a whole number from 1 on, got 5.5"),
        (WIDE + "speed,,0.3,,,,,cut,-0.4,,\n", "swim.csv:2:1: value: a row has a value or an effect, not both"),
        (WIDE + "speed,,,BL/s,,,,cut,-0.4,,\n", "an effect is a relative change, as a number or in %, got BL/s"),
        (WIDE + "speed,,,,,,,,-0.4,,\n", "swim.csv:2:1: arm: an effect needs the arm (the lesion) that has it"),
        (WIDE + "speed,,,,,,,intact,-0.4,,\n", "arm: an effect is a change against the intact animal"),
        (WIDE + "speed,,0.3,BL/s,,,,,,w.delay,\n", "at: axis and at go together: a path and a place on it"),
        (WIDE + "speed,1,0.3,BL/s,,,,,,w.delay,3 ms\n", "index: a curve over an axis has places (at), no index"),
        (WIDE + "speed,,0.3,BL/s,,,,,,w.delay,3 sm\n", "swim.csv:2:1: at: '3 sm': unknown name or unit 'sm'"),
        (
            WIDE + "speed,,0.3,BL/s,,,,,,w,3 ms\nspeed,,0.3,BL/s,,,,,,w,0.003 s\n",
            "swim.csv:3:1: at: speed: the places of a curve must differ",
        ),
        (
            WIDE + "speed,,0.3,BL/s,,,,,,w,3 ms\nspeed,,0.3,BL/s,,,,,,w,4 mV\n",
            "swim.csv:3:1: at: speed: 4 mV and 3 ms have different units",
        ),
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
        read_references(write(tmp_path, text))
    assert message in str(caught.value)


def test_all_mistakes_of_a_file_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        read_references(write(tmp_path, HEAD + "frequency,,x,Hz,,\nspeed,,1,m/s,,\n"))
    assert [problem.line for problem in caught.value.problems] == [2, 3]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such reference file"):
        read_references(tmp_path / "none.csv")
    with pytest.raises(UserError, match="cannot be read"):
        read_references(tmp_path)


def test_lesions_effects_and_curves(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        WIDE + "speed,,0.7,BL/s,0.1,A,12,,,,\n"
        "speed,,0.3,BL/s,0.2,A,6,spinal_cut,,,\n"
        "speed,,,%,15,A,6,spinal_cut,-40,,\n"
        "survival,,0.5,,,A,6,spinal_cut,,,\n"
        "frequency,,2.5,Hz,,B,,intact,,wires.motor.delay,20 ms\n"
        "frequency,,3,Hz,0.1,B,,,,wires.motor.delay,5 ms\n",
    )
    plain, absolute, effect, survival, curve = read_references(path)
    assert (plain.n, plain.of_a_run) == ((12.0,), True)
    assert (absolute.arm, absolute.values, absolute.of_a_run) == ("spinal_cut", (0.3,), False)
    assert (effect.effect, effect.unit) == (True, "")
    assert (effect.values[0], effect.sd[0]) == pytest.approx((-0.4, 0.15), rel=1e-12)
    assert survival.values == (0.5,)
    assert (curve.arm, curve.axis, curve.at) == ("", "wires.motor.delay", ("5 ms", "20 ms"))
    assert curve.values == (3.0, 2.5)
    assert [place.value for place in curve.positions()] == pytest.approx([5e-3, 20e-3], rel=1e-12)
    assert list(load(path)) == ["speed"]


def test_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    (one,) = read_references(write(tmp_path, "n,source,sd,unit,value,index,metric\n7,A,0.2,Hz,3,,frequency\n"))
    assert (one.metric, one.values, one.sd, one.n, one.source) == ("frequency", (3.0,), (0.2,), (7.0,), "A")


def test_the_example_of_the_guide_is_a_reference_file(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/validation.md").read_text(encoding="utf-8")
    found = read_references(write(tmp_path, text.partition("```csv\n")[2].partition("```")[0]))
    assert [(one.metric, one.arm, one.effect, one.axis) for one in found] == [
        ("speed", "", False, ""),
        ("joint_amplitude", "", False, ""),
        ("speed", "spinal_cut", True, ""),
        ("survival", "spinal_cut", False, ""),
        ("frequency", "", False, "wires.stretch.delay"),
    ]


def test_a_bad_reference_is_told_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "bad.csv").write_text(HEAD + "latency,,40,ms,,\n")
    document = tmp_path / "mine.yaml"
    document.write_text("cosim: experiment/1\nextends: salamander_replay\nname: mine\nreference: bad.csv\n")
    with pytest.raises(UserError, match=r"bad.csv:2:1: unit: latency is in s, got ms"):
        inspect(document)
    with pytest.raises(UserError, match=r"bad.csv:2:1: unit: latency is in s, got ms"):
        cosim.load(document).open(out=tmp_path / "result")
    assert not (tmp_path / "result").exists()
    document.write_text(document.read_text().replace("bad.csv", "none.csv"))
    with pytest.raises(UserError, match=r"mine.yaml:4:12: reference: no such file: .*none.csv"):
        inspect(document)
