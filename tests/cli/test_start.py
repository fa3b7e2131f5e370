"""The start of a run: what a second run of a circuit does not import or start, and that it checks as the first did."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cosim.cli import main
from cosim.neural import answers, equations, toolchain
from tests.spec.documents import CIRCUIT, EXPERIMENT, changed, line_of, zoo

PROCESS = """
import sys
started = []
def watch(event, details):
    if event in ("subprocess.Popen", "os.system", "os.posix_spawn", "os.spawn", "os.exec", "os.fork", "os.forkpty"):
        started.append(str(details)[:200])
sys.addaudithook(watch)
from cosim.bridge.lockstep import Lockstep
from cosim.cli import main
before = []
run = Lockstep.run
def first(lockstep, ticks):
    before.extend(sys.modules)
    return run(lockstep, ticks)
Lockstep.run = first
code = main(sys.argv[1:])
packages = lambda names: sorted({name.partition(".")[0] for name in names} & WATCHED)
WATCHED = {"brian2", "sympy", "pylab", "scipy", "matplotlib", "zarr", "xarray", "asyncio", "ssl"}
print("\\nSEEN", [code, len(before) > 0, packages(before), packages(sys.modules), started])
"""


def seen(*arguments: str) -> tuple[int, bool, list[str], list[str], list[str]]:
    """A run in a process of its own: exit code, whether it came to a tick, watched packages imported before the first
    one and at the end, processes started."""
    root = str(Path(__file__).parents[2])
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", PROCESS, "run", *arguments, "--no-report", "--force"]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("SEEN ")]
    assert lines, done.stderr
    code, ran, before, after, started = ast.literal_eval(lines[0].removeprefix("SEEN "))
    return code, ran, before, after, started


#: settings of a second run: sizes, delays and seed, then lesions
SECOND = {
    "stretch_reflex": [
        ["--set", "circuit.populations.MN.n=97", "--set", "wires.motor.delay=7 ms", "--seed", "77"]
        + ["--set", "circuit.projections.Ia_MN.delay={uniform: [1 ms, 3 ms]}", "--set", "dt=0.2 ms"],
        ["--set", "ablate=[{silence: IN, fraction: 0.5}, {cut: Ia_MN}, {cut: IN_MN, at: 20 ms}]"],
    ],
    "salamander_swim": [
        ["--set", "scale=0.6", "--set", "wires.stretch.delay=7 ms", "--seed", "77"]
        + ["--set", "ablate=[{silence: EX, where: {y: [20 mm, 30 mm]}}, {transect: 37.5 mm, at: 20 ms}]"],
    ],
}


@pytest.mark.skipif(not toolchain.has_compiler(), reason="no C++ compiler")
@pytest.mark.parametrize("name", SECOND)
def test_a_second_run_starts_no_process_and_does_without_brian2(name: str, tmp_path: Path) -> None:
    short = [name, "--out", str(tmp_path / "r"), "--set", "duration=50 ms", "--set", "transient=10 ms"]
    short += ["--set", "measure={}"]
    code, _, _, _, _ = seen(*short)
    assert code == 0
    for more in SECOND[name]:
        code, ran, before, after, started = seen(*short, *more)
        assert (code, ran) == (0, True)
        assert before == []
        assert set(after) & {"brian2", "sympy", "pylab"} == set()
        assert started == []


# ---------------------------------------------------------------- the same mistakes


@pytest.fixture
def cold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield
    forget()


def forget() -> None:
    """As in a new process."""
    equations.read.cache_clear()
    equations.known_names.cache_clear()


#: what is changed in which document, and where it is to be told; the message is compared between cold and warm
MISTAKES = {
    "unreadable equations": (CIRCUIT, "(E_L - v + R*I_ext)/tau_m", "(E_L - v + R*I_ext/tau_m", "equations"),
    "an unknown unit": (CIRCUIT, "I_ext : amp", "I_ext : ampere_", "equations"),
    "an unknown parameter": (CIRCUIT, "R: 100 Mohm", "R: 100 Mohm, tau_n: 1 ms", "parameters: {E_L"),
    "a missing parameter": (CIRCUIT, "R: 100 Mohm, ", "", "MN:"),
    "a reserved name": (CIRCUIT, "I_ext : amp\n", "I_ext : amp\n      alive : 1\n", "equations"),
    "draws in an order": (CIRCUIT, "threshold: v > V_th", "threshold: v > V_th*rand()", "threshold"),
    "an unknown initial value": (CIRCUIT, "method: exact", "method: exact\n    initial: {u: 0}", "initial"),
    "a drive without a variable": (EXPERIMENT, "to: MN, constant", "to: MN, variable: I_x, constant", "tonic"),
    "a wrong unit in a drive": (EXPERIMENT, "peak: 100 pA", "peak: 100 mV", "tonic"),
    "an unknown state": (EXPERIMENT, "record: {spikes: all}", "record: {state: {MN: {u: {}}}}", "record"),
    "an unknown decoded state": (EXPERIMENT, "{rate: {window: 20 ms, gain: 0.01 s}}", "{state: u}", "decode"),
    "a wrong unit in a threshold": (CIRCUIT, "threshold: v > V_th", "threshold: v > V_th*ms", "threshold"),
    "a wrong unit of a weight": (CIRCUIT, "parameters: {w: 1 mV}", "parameters: {w: 1 nA}", "on_spike"),
}  # fmt: skip


def told(where: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """What `cosim run` says of the mistake, as in a new process."""
    forget()
    capfd.readouterr()
    assert main(["run", "tap", "--out", str(where / "r"), "--no-report", "--backend", "numpy"]) == 2
    assert not (where / "r").exists()
    out, err = capfd.readouterr()
    assert out == ""
    return err


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_alike_with_and_without_kept_answers(
    mistake: str, cold: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    document, old, new, place = MISTAKES[mistake]
    kind = "circuit" if document is CIRCUIT else "experiment"
    bad = changed(document, old, new)
    monkeypatch.chdir(zoo(tmp_path, **{kind: bad}))
    first = told(tmp_path, capfd)
    answers.clear()
    zoo(tmp_path)
    assert main(["check", "run/tap.yaml"]) == 0  # the right documents, so that their answers are kept
    zoo(tmp_path, **{kind: bad})
    kept = [told(tmp_path, capfd) for _ in range(2)]
    assert kept == [first, first]
    file = "circuits/reflex/circuit.yaml" if kind == "circuit" else "run/tap.yaml"
    assert first and all(line.startswith(f"{file}:") for line in first.splitlines())
    assert f"{file}:{line_of(bad, place)}:" in first


def test_a_wrong_name_is_told_without_brian2_once_its_equations_were_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(zoo(tmp_path))
    assert main(["check", "run/tap.yaml"]) == 0
    zoo(tmp_path, circuit=changed(CIRCUIT, "R: 100 Mohm", "R: 100 Mohm, tau_n: 1 ms"))
    assert seen("tap", "--out", str(tmp_path / "r")) == (2, False, [], [], [])
