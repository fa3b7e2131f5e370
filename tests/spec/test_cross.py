"""Mistakes that only the whole experiment, or the equations, bring to light: still file, line and a hint."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.cli import main
from cosim.errors import UserError
from cosim.spec.load import load_experiment
from tests.spec.documents import TEXTS, changed, line_of, zoo

FILES = {"circuit": "circuits/reflex/circuit.yaml", "body": "bodies/arm/body.yaml", "experiment": "run/tap.yaml"}

# kind, old, new, a part of the line in which the error stands, what it says
CASES: dict[str, tuple[str, str, str, str, str]] = {
    "equation does not parse": ("circuit", "dv/dt = (E_L - v", "dv/dt = (E_L - - * v", "equations:", ""),
    "equation with unknown name": ("circuit", "R*I_ext", "R*(I_ext + I_in)", "  Ia: {", "'I_in'"),
    "parameter of no equation": ("circuit", "{E_L: -65 mV,", "{E_L: -65 mV, tau_x: 1 ms,", "{E_L: -65 mV,", "tau_x"),
    "no such muscle": ("experiment", "[flexor, extensor]}", "[flexr, extensor]}", "[flexr", "'flexor'"),
    "no such joint": ("experiment", "{joint_angle: elbow}", "{joint_angle: elbo}", "{joint_angle", "'elbow'"),
    "no such sensor": ("experiment", "{joint_angle: elbow}", "{joint_angel: elbow}", "{joint_angel", "'joint_angle'"),
    "no such population": ("experiment", "    from: MN", "    from: MNN", "from: MNN", "'MN'"),
    "no such variable": ("experiment", "tonic: {to: MN,", "tonic: {to: MN, variable: I_ex,", "tonic:", "'I_ext'"),
    "drive of the wrong unit": ("experiment", "constant: peak", "constant: 3 mV", "tonic:", "current"),
    "no such circuit": ("experiment", "circuit: reflex", "circuit: reflx", "circuit:", "did you mean 'reflex'?"),
    "no such body": ("experiment", "body: arm", "body: armm", "body: armm", "did you mean 'arm'?"),
    "a body for a circuit": ("experiment", "circuit: reflex", "circuit: arm", "circuit: arm", "'arm' is a body"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_the_problem_is_told_in_its_line(
    case: tuple[str, str, str, str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    kind, old, new, part, says = case
    monkeypatch.chdir(tmp_path)
    text = changed(TEXTS[kind], old, new)
    zoo(tmp_path, **{kind: text})
    before = sorted(tmp_path.rglob("*"))
    assert main(["run", "tap"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback" not in err
    first = err.splitlines()[0]
    assert first.startswith(f"{FILES[kind]}:{line_of(text, part)}:")
    assert says in first
    assert sorted(tmp_path.rglob("*")) == before, "a run that cannot start wrote something"


def test_the_unbroken_zoo_is_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(zoo(tmp_path))
    assert main(["check", "tap", "circuits/reflex/circuit.yaml", "bodies/arm"]) == 0


def test_an_override_that_breaks_a_wire_is_shown_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(zoo(tmp_path))
    with pytest.raises(UserError) as caught:
        load_experiment("tap", {"wires.spindle.delay": "0.3 ms"})
    assert caught.value.problems[0].file == "--set"
    assert caught.value.problems[0].path.startswith("wires.spindle.delay")
