"""What is wrong with a sweep is told before anything runs: file, line, reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.cli import main
from cosim.errors import UserError
from cosim.spec.yamlmarks import parse
from cosim.sweep.check import check
from cosim.sweep.load import load_sweep
from tests.spec.documents import changed, line_of
from tests.sweep.documents import SWEEP, write

pytestmark = pytest.mark.usefixtures("here")

DELAYS, ARM = "[5 ms, 10 ms]", "{silence: Ia, fraction: [0.5]}"
ZIP = changed(SWEEP, "repeat: 2", "design: zip")

#: name: (old, new, what stands in the line of the problem, what is said)
REFUSED = {
    "path": ("wires.motor.delay:", "wires.moter.delay:", "moter", "did you mean 'wires.motor.delay'?"),
    "path in the circuit": (
        "projections.Ia_MN",
        "projections.Ia_MM",
        "Ia_MM",
        "did you mean 'circuit.projections.Ia_MN",
    ),
    "no path": ("wires.motor.delay:", "wires..delay:", "wires..", "is not a path"),
    "unit": (DELAYS, "[5 ms, 10 mV]", "10 mV", "expected a time, e.g. '10 ms', got a voltage"),
    "unit in the circuit": ("gain: [1, 2]", "gain: [1, 2 ms]", "gain: [1", "expected a number without a unit"),
    "units of linspace": (DELAYS, "{linspace: [0 ms, 1 mV, 3]}", "linspace", "have different units"),
    "logspace from 0": (DELAYS, "{logspace: [0 ms, 1 ms, 3]}", "logspace", "neither of them 0"),
    "no values": (DELAYS, "[]", "motor.delay: []", "must not be empty"),
    "empty linspace": (DELAYS, "{linspace: [0 ms, 1 ms, 0]}", "linspace", "a whole number of at least 1"),
    "random without n": (DELAYS, "{random: {uniform: [0 ms, 1 ms]}}", "random", "needs its number of values: n"),
    "a value twice": (DELAYS, "[5 ms, 5 ms]", "motor.delay", "the value 5 ms is given twice"),
    "impossible value": (DELAYS, "[5 ms, 2.5001 ms]", "2.5001", "is not a whole number of ticks"),
    "population": ("silence: Ia,", "silence: Ix,", "silence: Ix", "ablate.Ia.silence: no population or tag 'Ix'"),
    "projection": ("{cut: Ia_MN, at", "{cut: Ia_NM, at", "Ia_NM", "no projection 'Ia_NM', did you mean 'Ia_MN'?"),
    "wire": ("cut: wires.spindle_static", "cut: wires.spindle", "cut: wires.spindle}", "no wire 'spindle'"),
    "population of each": (ARM, "{each: {population: Mn}}", "each", "no population 'Mn', did you mean 'MN'?"),
    "fraction": ("fraction: [0.5]", "fraction: [1.5]", "fraction", "between 0 and 1"),
    "two series": (ARM, "{silence: [Ia, IN], fraction: [0.5]}", "silence: [Ia", "one entry may be a list"),
    "no lesions": (ARM, "{silence: Ia, fraction: []}", "fraction", "fraction is an empty list"),
    "metric": ("[rate_MN, ", "[rate_Mn, ", "measure", "does not measure 'rate_Mn', did you mean 'rate_MN'?"),
    "arm of the control": ("arms: intact", "arms: late_", "control", "no arm 'late_', did you mean 'late'?"),
    "key": ("repeat: 2", "repeats: 2", "repeats", "unknown key 'repeats', did you mean 'repeat'?"),
    "seed as an axis": ("wires.motor.delay:", "seed:", "  seed:", "seeds are varied by repeat"),
    "experiment": ("stretch_reflex", "stretch_reflexx", "experiment:", "no experiment 'stretch_reflexx'"),
    "set": ("  duration: 50 ms", "  duratoin: 50 ms", "duratoin", "did you mean 'duration'?"),
    "value that is set": ("  duration: 50 ms", "  duration: 50 mV", "50 mV", "expected a time"),
    "nothing to measure": ("  record", "  measure: {}\n  record", "experiment:", "stretch_reflex measures nothing"),
}


@pytest.mark.parametrize(("old", "new", "part", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_refused_with_file_line_and_reason(old: str, new: str, part: str, message: str) -> None:
    text = changed(SWEEP, old, new)
    if "measures nothing" in message:
        text = changed(text, "measure: [rate_MN, rate_Ia, latency]\n", "")
    with pytest.raises(UserError) as error:
        check(load_sweep(write(Path.cwd(), text)))
    problems = [str(problem) for problem in error.value.problems]
    assert any(f"run/tiny.yaml:{line_of(text, part)}:" in one and message in one for one in problems), problems
    assert len(problems) == 1, problems


@pytest.mark.parametrize("path", ["strength", "parameters.strength", "circuit.parameters.strength"])
@pytest.mark.parametrize("values", ["[1 nA, 2 mV]", "{linspace: [1 mV, 2 mV, 3]}"])
def test_a_parameter_keeps_its_unit(here: Path, path: str, values: str) -> None:
    # it has none where it is used, and that would be told of another file
    circuit = "cosim: circuit/1\nname: mine\nextends: stretch_reflex\nparameters: {strength: 0.2 nA}\n"
    circuit += "set: {projections.Ia_MN.parameters.w: strength}\n"
    experiment = "cosim: experiment/1\nname: strong\nextends: stretch_reflex\ncircuit: mine\n"
    (here / "circuits/mine").mkdir(parents=True)
    (here / "circuits/mine/circuit.yaml").write_text(circuit, encoding="utf-8")
    write(here, experiment, "strong")
    text = "cosim: sweep/1\nname: tiny\nexperiment: strong\nvary:\n  AXIS: VALUES\nmeasure: [rate_MN]\n"
    assert load_sweep(write(here, text.replace("AXIS", path).replace("VALUES", "[1 nA, 0]"))).size == 2
    with pytest.raises(UserError) as error:
        load_sweep(write(here, text.replace("AXIS", path).replace("VALUES", values)))
    (problem,) = error.value.problems
    assert (problem.file, problem.line) == ("run/tiny.yaml", 5)
    assert "mV': expected a current, e.g. '5 pA', got a voltage" in problem.message


@pytest.mark.parametrize(("vary", "place"), [("{}", "vary"), ("[{duration: [1 s]}, {}]", "vary.1")])
def test_a_grid_without_axes(vary: str, place: str) -> None:
    head = SWEEP[: SWEEP.index("vary:")]
    with pytest.raises(UserError) as error:
        load_sweep(write(Path.cwd(), f"{head}vary: {vary}\nmeasure: [rate_MN]\n"))
    (problem,) = error.value.problems
    assert (problem.path, problem.message) == (place, "must not be empty")
    assert problem.line == line_of(f"{head}vary:", "vary:")


def test_axes_that_cannot_be_zipped() -> None:
    text = changed(ZIP, "gain: [1, 2]", "gain: [1]")
    with pytest.raises(UserError) as error:
        load_sweep(write(Path.cwd(), text))
    says = "design: zip needs axes of equal length, got wires.motor.delay 2, circuit.projections.Ia_MN.gain 1"
    assert [str(one).partition(" ")[2] for one in error.value.problems] == [says]
    assert error.value.problems[0].line == line_of(text, "design: zip")


def test_all_problems_of_axes_and_arms_come_at_once() -> None:
    text = changed(SWEEP, DELAYS, "[5 mV, 10 ms]")
    text = changed(changed(text, "silence: Ia,", "silence: Ix,"), "gain: [1, 2]", "gain: [1, x]")
    with pytest.raises(UserError) as error:
        check(load_sweep(write(Path.cwd(), text)))
    lines = sorted({problem.line for problem in error.value.problems})
    assert lines == [line_of(text, part) for part in ("5 mV", "[1, x]", "Ix")]


def test_too_many_runs_are_refused_before_they_are_made(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = "{wires.motor.delay: {linspace: [0 ms, 10 ms, 10000]}, duration: {linspace: [50 ms, 1 s, 1000]}}"
    head, _, rest = SWEEP.partition("vary:")
    text = f"{head}vary: {axes}\nrepeat: 1\n"
    monkeypatch.setattr("cosim.sweep.axes.expand", lambda *_: pytest.fail("they were made"))
    with pytest.raises(UserError) as error:
        load_sweep(write(Path.cwd(), text))
    (problem,) = error.value.problems
    assert problem.line == line_of(text, "vary:")
    assert problem.message == "10000000 runs are more than 1000000: run so many with --yes"
    assert "ablate" in rest


def test_arms_and_seeds_count_too() -> None:
    text = changed(SWEEP, DELAYS, "{linspace: [0 ms, 999 ms, 1000]}").replace("repeat: 2", "repeat: 126")
    with pytest.raises(UserError, match="1008000 runs"):
        load_sweep(write(Path.cwd(), text))
    assert load_sweep(write(Path.cwd(), text), most=None).size == 1_008_000


def test_the_command_writes_nothing_and_ends_with_2(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(here, changed(SWEEP, DELAYS, "[5 ms, 10 mV]"))
    for command in (["sweep", "tiny"], ["sweep", "tiny", "--dry-run"], ["sweep", "tiny", "--slurm"], ["check", "tiny"]):
        assert main(command) == 2
        assert "run/tiny.yaml:13:29: wires.motor.delay: '10 mV': expected a time" in capfd.readouterr().err
    assert sorted(path.name for path in here.rglob("*")) == ["run", "tiny.yaml"]


def test_a_directory_with_something_else_in_it_is_left_alone(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(here)
    (here / "mine").mkdir()
    (here / "mine/thesis.txt").write_text("years of work", encoding="utf-8")
    for more in ([], ["--force"]):
        assert main(["sweep", "tiny", "--out", "mine", *more]) == 2
        assert "mine: the directory is not empty and holds no sweep; it is left alone" in capfd.readouterr().err
    assert [path.name for path in (here / "mine").iterdir()] == ["thesis.txt"]


def test_copies_do_not_share_nodes() -> None:
    node = parse("{a: [1, {b: 2}]}", "x")
    other = node.copy()
    other.value["a"].value[1].value["b"].value = 3
    assert node.plain() == {"a": [1, {"b": 2}]}
    assert [one.line for _, one in node.walk()] == [one.line for _, one in other.walk()]
