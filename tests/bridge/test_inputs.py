"""Drives, encoders along the axis, tuning curves and commands from files, against their formulas, tick by tick."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.body import FakeBody
from cosim.bridge.clock import Clock
from cosim.bridge.commands import CurveCommands
from cosim.bridge.inputs import Inputs
from cosim.bridge.wires import SensoryWire
from cosim.errors import UserError
from cosim.neural.fake import FakeBackend
from cosim.spec.common import Located
from cosim.spec.experiment import CommandSpec, DriveSpec, WireSpec
from cosim.tape import Tape
from tests.graph.helpers import network

CLOCK = Clock.of(1e-3, 1e-3, None)
CELL = {"equations": "I_ext : amp\nrate : Hz", "threshold": "I_ext > 1*amp"}
AXIS = {"length": "0.1 m", "segments": 10}


class Inlet:
    """Ten neurons of one side along 0.1 m (y = 0, 10, ... 90 mm), or five on each of two sides, and their inputs."""

    def __init__(self, *, sides: bool = False) -> None:
        population: dict[str, Any] = {"model": "cell", "n": 5 if sides else 10}
        if sides:
            population["sides"] = ["left", "right"]
        self.network = network(models={"cell": CELL}, populations={"A": population}, axis=AXIS)
        self.backend = FakeBackend({"A": (0, 10)}, ("I_ext", "rate"), 1, lambda step, arrays: [])
        self.inputs = Inputs(self.network, self.backend)
        self.body = FakeBody(2)

    def drive(self, folder: Path = Path(), **raw: Any) -> None:
        self.inputs.add_drive(DriveSpec.model_validate({"to": "A", **raw}), CLOCK, {}, folder)

    def wire(self, **raw: Any) -> SensoryWire:
        spec = WireSpec.model_validate({"read": {"joint_angle": "all"}, "to": "A", **raw})
        return SensoryWire("in", spec, self.network, self.inputs, self.body, CLOCK, {})

    def current(self, tick: int, *wires: SensoryWire) -> np.ndarray[Any, Any]:
        tape = Tape()
        for wire in wires:
            wire.push(tape)
        self.inputs.on(tape)
        tape.play(tick)
        return self.backend.arrays["A/I_ext"].copy()


def test_constant_drives_add_up_and_may_follow_the_axis() -> None:
    inlet = Inlet()
    inlet.drive(constant="2 A")
    inlet.drive(constant="1 A*y/(10 mm)")
    inlet.drive(to={"population": "A", "y": ["20 mm", "40 mm"]}, constant="100 A")
    expected = 2 + np.arange(10.0)
    expected[[2, 3]] += 100
    assert inlet.current(0) == pytest.approx(expected, rel=1e-14)


def test_ramp_is_flat_linear_flat() -> None:
    inlet = Inlet()
    inlet.drive(ramp={"from": "1 A", "to": "3 A", "start": "10 ms", "stop": "20 ms"})
    assert [inlet.current(k)[0] for k in (0, 10, 15, 20, 50)] == pytest.approx([1, 1, 2, 3, 3])


def test_pulse_is_half_open_and_repeats() -> None:
    inlet = Inlet()
    inlet.drive(constant="1 A")
    inlet.drive(pulse={"value": "2 A", "at": "3 ms", "for": "2 ms", "every": "10 ms"})
    found = [inlet.current(k)[4] for k in range(16)]
    assert found == [3.0 if k in (3, 4, 13, 14) else 1.0 for k in range(16)]


def test_drive_from_a_file_is_linear_in_its_units_and_repeats(tmp_path: Path) -> None:
    (tmp_path / "drive.csv").write_text("# made up\ntime [ms],stim [mA]\n0,0\n10,1000\n20,0\n")
    inlet = Inlet()
    inlet.drive(tmp_path, file={"path": "drive.csv", "periodic": True, "scale": 2})
    assert [inlet.current(k)[0] for k in (0, 5, 10, 15, 20, 25)] == pytest.approx([0, 1, 2, 1, 0, 1])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("time [s],stim [mV]\n0,1\n1,2\n", "column 'stim' is a voltage, e.g. '-65 mV', expected a current"),
        ("t [s],stim [A]\n0,1\n1,2\n", "the first column of drive.csv must be 'time [s]'"),
        ("time [s],stim [A]\n1,1\n1,2\n", "the times in drive.csv do not rise"),
    ],
)
def test_unfit_drive_files_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "drive.csv").write_text(text)
    with pytest.raises(Located) as error:
        Inlet().drive(tmp_path, file={"path": "drive.csv"})
    assert message in error.value.problems[0][1]


@pytest.mark.parametrize(
    ("text", "place"),
    [("time [s],stim [A]\n0,1\n1,x\n", "drive.csv:3:1"), ("time [s],stim [A]\n0,1,2\n", "drive.csv:2:1")],
)
def test_unreadable_rows_name_their_line(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "drive.csv").write_text(text)
    with pytest.raises(UserError) as error:
        Inlet().drive(tmp_path, file={"path": "drive.csv"})
    assert place in str(error.value)


def test_interpolation_along_the_axis_with_ends_that_fall_to_zero() -> None:
    inlet = Inlet()
    wire = inlet.wire(
        interpolate={"at": ["20 mm", "60 mm"], "zero_at": "100 mm"},
        parameters={"gain": ["1 A", "3 A"]},
        encode={"current": "gain*x"},
    )
    inlet.body.readings["joint_angle"][:] = [2.0, 6.0]
    y = 10.0 * np.arange(10)
    x = np.interp(y, [20, 60, 100], [2, 6, 0])  # constant before the first position
    gain = np.interp(y, [20, 60, 100], [1, 3, 0])
    assert inlet.current(0, wire) == pytest.approx(gain * x, rel=1e-12)


def test_channels_by_side_and_the_sign_of_the_side() -> None:
    inlet = Inlet(sides=True)
    wire = inlet.wire(encode={"current": "1 A*max(0, side_sign*x)"})
    inlet.body.readings["joint_angle"][:] = [0.5, -0.25]
    assert inlet.current(0, wire).tolist() == [0.5] * 5 + [0.25] * 5


def test_tuning_curves_peak_at_evenly_spaced_preferred_values() -> None:
    inlet = Inlet(sides=True)
    tuning = {"range": [-1, 1], "width": 0.5, "peak": "100 Hz", "baseline": "5 Hz"}
    wire = inlet.wire(encode={"tuning": tuning})
    inlet.body.readings["joint_angle"][:] = [0.5, -1.0]
    inlet.current(0, wire)
    preferred = np.linspace(-1, 1, 5)
    expected = [5 + 95 * math.exp(-((x - c) ** 2) / (2 * 0.5**2)) for x in (0.5, -1.0) for c in preferred]
    rate = inlet.backend.arrays["A/rate"]
    assert rate == pytest.approx(expected, rel=1e-12)
    assert rate[3] == pytest.approx(100.0)  # the neuron that prefers 0.5


def test_commands_from_a_table_and_from_fourier_coefficients(tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("time [ms],muscle_1,muscle_0\n0,0,8\n4,4,8\n8,0,8\n")
    (tmp_path / "waves.csv").write_text("name,mean,cos_1,sin_1\nmuscle_0,1,2,0\nmuscle_1,0,0,3\n")
    body = FakeBody(2)
    table = CommandSpec.model_validate(
        {"write": {"activation": "all"}, "file": "table.csv", "periodic": True, "scale": 0.5}
    )
    commands = CurveCommands(table, body, CLOCK, tmp_path, {})
    found = []
    for tick in range(10):
        commands.apply(tick)
        found.append(body.commands["activation"].tolist())
    # the command of tick k is where the body is to be at its end, k + 1
    assert [row[1] for row in found] == pytest.approx([0.5, 1, 1.5, 2, 1.5, 1, 0.5, 0, 0.5, 1])
    assert [row[0] for row in found] == pytest.approx([4.0] * 10)
    fourier = {"file": "waves.csv", "frequency": "50 Hz", "unit": 1}
    waves = CurveCommands(
        CommandSpec.model_validate({"write": {"activation": "all"}, "fourier": fourier}), body, CLOCK, tmp_path, {}
    )
    waves.apply(4)
    angle = 2 * math.pi * 50 * 0.005
    assert body.commands["activation"] == pytest.approx([1 + 2 * math.cos(angle), 3 * math.sin(angle)])
