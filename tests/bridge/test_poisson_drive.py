"""Poisson drives: their spikes land, each with its weight and delay, on the neurons that were chosen and no others."""

from pathlib import Path

import numpy as np
import pytest

import cosim
from cosim.cli import main
from cosim.errors import UserError
from cosim.record.result import Result

CIRCUIT = """\
cosim: circuit/1
name: counters
models:
  counter: {equations: "dg/dt = 0*g/ms : volt", threshold: "g > 1000*mV"}
populations:
  A: {model: counter, n: 40, tags: [all]}
  B: {model: counter, n: 10, tags: [all]}
"""
RUN = """\
cosim: experiment/1
name: driven
circuit: counters
duration: 400 ms
dt: 0.1 ms
tick: 0.5 ms
drives:
  sugar: {to: {population: A, neurons: [3, 17]}, variable: g, poisson: {rate: 200 Hz, weight: 1 mV, delay: 1.8 ms}}
record: {state: {A: {g: {}}, B: {g: {}}}}
"""


def run(folder: Path, text: str = RUN, backend: str = "numpy", **options: int) -> Result:
    (folder / "circuits/counters").mkdir(parents=True, exist_ok=True)
    (folder / "circuits/counters/circuit.yaml").write_text(CIRCUIT)
    (folder / "run").mkdir(exist_ok=True)
    (folder / "run/driven.yaml").write_text(text)
    return cosim.load(folder / "run/driven.yaml").run(out=folder / "out", backend=backend, force=True, **options)


def test_every_spike_adds_its_weight_after_its_delay(tmp_path: Path) -> None:
    result = run(tmp_path)
    times, ids = result.spikes("sugar")
    assert len(times) == pytest.approx(2 * 200 * 0.4, abs=4 * np.sqrt(160))
    trace = result.trace("state/A/g")
    # a row is what is there at the start of a tick; what spikes in step k is there after step k + 18
    steps = np.rint(times / 1e-4).astype(int)
    ends = 5 * np.arange(len(trace.values))
    for source, neuron in enumerate((3, 17)):
        arrived = np.searchsorted(steps[ids == source] + 18, ends, "left")
        assert trace.values[:, neuron] == pytest.approx(1e-3 * arrived, abs=1e-15)
    untouched = np.delete(trace.values, [3, 17], axis=1)
    assert not untouched.any() and not result.trace("state/B/g").values.any()


def test_without_a_delay_a_spike_arrives_in_the_next_step(tmp_path: Path) -> None:
    result = run(tmp_path, RUN.replace(", delay: 1.8 ms", "").replace("tick: 0.5 ms", "tick: 0.1 ms"))
    times, ids = result.spikes("sugar")
    steps = np.rint(times[ids == 0] / 1e-4).astype(int)
    rises = np.flatnonzero(np.diff(result.trace("state/A/g").values[:, 3], prepend=0.0))
    assert np.array_equal(rises - 1, steps[steps + 2 < 4000] + 1)


def test_a_drive_of_several_populations_has_a_source_for_every_neuron(tmp_path: Path) -> None:
    text = RUN.replace("{population: A, neurons: [3, 17]}", "{tag: all}").replace("200 Hz", "(1 + i)*10 Hz")
    result = run(tmp_path, text)
    times, ids = result.spikes("sugar")
    counts = np.bincount(ids, minlength=50)
    expected = 0.4 * 10 * np.concatenate([np.arange(1, 41), np.arange(1, 11)])
    assert (np.abs(counts - expected) < 5 * np.sqrt(expected) + 1).all()
    arrived = ids[np.rint(times / 1e-4) + 18 < 5 * 799]
    last = np.concatenate([result.trace(f"state/{name}/g").values[-1] for name in "AB"])
    assert last == pytest.approx(1e-3 * np.bincount(arrived, minlength=50), abs=1e-14)


def test_other_drives_change_the_rate_of_its_sources(tmp_path: Path) -> None:
    pulse = "  pause: {to: sugar, variable: rate, pulse: {value: -200 Hz, at: 100 ms, for: 200 ms}}\nrecord:"
    times, _ = run(tmp_path, RUN.replace("record:", pulse)).spikes("sugar")
    assert not ((times >= 0.1) & (times < 0.3)).any() and (times < 0.1).any() and (times > 0.3).any()
    whole, _ = run(tmp_path).spikes("sugar")
    assert np.array_equal(times, whole[(whole < 0.1) | (whole >= 0.3)])  # the other spikes stay where they were


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("variable: g", "variable: gg", "drives.sugar.variable", "has no 'gg'"),
        ("weight: 1 mV", "weight: 1 mA", "drives.sugar.poisson.weight", "expected a voltage"),
        ("rate: 200 Hz", "rate: -1 Hz", "drives.sugar.poisson.rate", "must not be negative"),
        ("rate: 200 Hz", "rate: 200 mV", "drives.sugar.poisson.rate", "expected a frequency"),
        ("neurons: [3, 17]", "neurons: [40]", "drives.sugar.to", "no neuron 40"),
        ("  sugar:", "  B:", "drives.B", "the circuit has a 'B'"),
        ("rate: 200 Hz, ", "", "drives.sugar.poisson.rate", "is missing"),
    ],
)
def test_a_wrong_drive_is_told_with_its_place(
    old: str, new: str, where: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert old in RUN
    with pytest.raises(UserError) as error:
        run(tmp_path, RUN.replace(old, new))
    problem = error.value.problems[0]
    assert (problem.path, problem.line) == (where, 8) and says in problem.message
    assert main(["check", str(tmp_path / "run/driven.yaml")]) == 2
    assert "Traceback" not in capsys.readouterr().err
