"""The command line: what goes where, and with which exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import cosim
from cosim.cli import main
from cosim.cli import run as run_verb
from cosim.errors import SimulationError
from tests.spec.documents import EXPERIMENT, changed, zoo

#: without a circuit nothing is compiled: such a run takes a fraction of a second
BODY_ALONE = "cosim: experiment/1\nname: fall\ntitle: An arm at rest\nbody: arm\nduration: 0.05 s\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("COSIM_ZOO", raising=False)
    monkeypatch.delenv("COSIM_DEBUG", raising=False)
    monkeypatch.chdir(zoo(tmp_path))
    (tmp_path / "run/fall.yaml").write_text(BODY_ALONE, encoding="utf-8")
    return tmp_path


def answer(capfd: pytest.CaptureFixture[str]) -> Any:
    """Standard output, which must be exactly one JSON object."""
    out, _ = capfd.readouterr()
    return json.loads(out)


# --- list, show, schema, version


def test_list_names_what_the_zoo_holds(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    titles = [line for line in out.splitlines() if not line.startswith(" ")]
    assert titles == ["experiments", "sweeps", "circuits", "bodies", "connectomes"]
    assert "  fall " in out
    assert main(["list", "--json"]) == 0
    listed = answer(capfd)
    assert list(listed) == ["experiments", "sweeps", "circuits", "bodies", "connectomes", "kinematics"]
    assert {"name": "fall", "title": "An arm at rest", "path": str(here / "run/fall.yaml")} in listed["experiments"]


def test_show_tells_sizes_channels_and_what_can_be_set(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "tap", "--json"]) == 0
    shown = answer(capfd)
    assert [document["name"] for document in shown["documents"]] == ["tap", "reflex", "arm"]
    assert {p["name"]: p["n"] for p in shown["populations"]} == {"Ia": 12, "MN": 16}
    assert shown["neurons"] == 28
    assert shown["projections"] == [{"name": "Ia_MN", "kind": "spikes", "from": "Ia", "to": "MN"}]
    assert {"name": "activation", "unit": "1", "width": 1, "labels": ["flexor", "extensor"]} in shown["actuators"]
    assert [wire["delay"] for wire in shown["wires"]] == [[0.03], [0.02]]
    by_path = {p["path"]: p for p in shown["parameters"]}
    assert by_path["parameters.peak"]["si"] == pytest.approx(1e-10, rel=1e-15)
    assert by_path["circuit.parameters.strength"]["value"] == 2
    assert by_path["body.parameters.beta"]["unit"] == "m^2*kg*s^-2"
    assert main(["show", "tap", "--set", "circuit.populations.MN.n=80", "--json"]) == 0
    assert answer(capfd)["neurons"] == 12 + 160


def test_show_in_words(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "reflex"]) == 0
    out, err = capfd.readouterr()
    assert err == ""
    assert "populations: 28 neurons" in out
    assert "Ia_MN  Ia -> MN  spikes" in out
    assert main(["show", "arm"]) == 0
    assert "joint_angle" in capfd.readouterr().out


def test_a_name_of_several_kinds_is_chosen_by_kind(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for kind in ("experiment", "circuit"):
        assert main(["show", "stretch_reflex", "--kind", kind, "--json"]) == 0
        assert answer(capfd)["kind"] == kind


def test_schema(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "body"]) == 0
    assert answer(capfd)["title"] == "cosim body/1"
    assert main(["schema"]) == 0
    assert answer(capfd)["title"] == "cosim document"


def test_version(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capfd.readouterr().out == f"cosim {cosim.__version__}\n"


def test_help_and_list_import_no_simulator() -> None:
    code = (
        "import sys; from cosim.cli import main; main(['list']); main(['run', '--help']);"
        "heavy = {'numpy', 'brian2', 'pybullet', 'pydantic', 'zarr', 'matplotlib'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# --- check


def test_check_says_ok_or_every_problem_as_json(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "reflex", "arm"]) == 0
    assert capfd.readouterr().out == "ok\n"
    (here / "run/tap.yaml").write_text(changed(EXPERIMENT, "seed: 1", "seed: one"), encoding="utf-8")
    assert main(["check", "reflex", "tap", "--json"]) == 2
    out, err = capfd.readouterr()
    assert json.loads(out) == {
        "ok": False,
        "problems": [
            {
                "file": "run/tap.yaml",
                "line": 11,
                "column": 7,
                "path": "seed",
                "message": "expected a whole number, got 'one'",
            }
        ],
        "notes": [],
    }
    assert err == "run/tap.yaml:11:7: seed: expected a whole number, got 'one'\n"


# --- run


def test_run_prints_one_object_and_records_where_it_is_told(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "fall", "--out", "there", "--json", "--no-report"]) == 0
    said = answer(capfd)
    assert set(said) == {"result", "metrics", "hashes", "timings"}
    assert said["result"] == "there"
    assert set(said["hashes"]) == {"spikes", "state", "body"}
    assert len(said["hashes"]["body"]) == 64
    assert {"network", "body", "bridge", "record", "wall", "real_time_factor"} <= set(said["timings"])
    assert cosim.Result("there").complete


def test_run_in_words_with_report(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "fall", "--seed", "5", "--duration", "0.1 s"]) == 0
    out, _ = capfd.readouterr()
    assert out.splitlines()[0] == "An arm at rest, 0.1 s, seed 5"
    assert "result: results/fall" in out
    assert (here / "results/fall/report.html").is_file()


def test_an_earlier_result_is_kept_unless_forced(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "fall", "--no-report"]) == 0
    before = (here / "results/fall/manifest.json").read_bytes()
    capfd.readouterr()
    assert main(["run", "fall", "--no-report"]) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert "results/fall" in err
    assert (here / "results/fall/manifest.json").read_bytes() == before
    assert main(["run", "fall", "--no-report", "--force"]) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "fal"], "no experiment 'fal', did you mean 'fall'?"),
        (["run", "fall", "--set", "duration"], "--set: expected PATH=VALUE, got 'duration'"),
        (["run", "fall", "--set", "duratoin=1 s"], "did you mean 'duration'?"),
        (["run", "fall", "--duration", "1 mV"], "--set: duration: '1 mV': expected a time"),
        (["run", "fall", "--seed", "-1"], "expected a whole number from 0"),
        (["run", "fall", "--seed", "x"], "expected a whole number, got 'x'"),
        (["run", "fall", "--backend", "gpu"], "invalid choice: 'gpu'"),
        (["run", "fall", "--out", "run/fall.yaml"], "run/fall.yaml"),
        (["run"], "NAME"),
        (["runn", "fall"], "invalid choice: 'runn'"),
        (["show", "fal"], "no experiment, sweep, circuit, body or connectome 'fal', did you mean 'fall'?"),
        (["report", "nowhere"], "nowhere: no such result directory"),
        ([], "VERB"),
    ],
)
def test_the_users_mistakes_end_with_2_and_write_nothing(
    arguments: list[str], says: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = sorted(here.rglob("*"))
    assert main(arguments) == 2
    out, err = capfd.readouterr()
    assert out == ""
    assert says in err
    assert "Traceback" not in err
    assert sorted(here.rglob("*")) == before


def failing(error: BaseException) -> Any:
    def run(*_: Any, **__: Any) -> Any:
        raise error

    return run


def test_a_simulation_that_goes_wrong_ends_with_3(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cosim.bridge.lockstep.Lockstep.run", failing(SimulationError("tick 7: v of MN is not finite")))
    assert main(["run", "fall"]) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "tick 7: v of MN is not finite",
        "what was recorded until then can be read: results/fall",
    ]
    assert cosim.Result("results/fall").status == "failed"


def test_an_interrupted_run_names_its_readable_result(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cosim.bridge.lockstep.Lockstep.run", failing(KeyboardInterrupt()))
    assert main(["run", "fall"]) == 1
    _, err = capfd.readouterr()
    assert err == "interrupted; what was recorded until then can be read: results/fall\n"
    assert cosim.Result("results/fall").status == "interrupted"


def test_anything_else_is_one_line_with_a_hint_and_1(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_verb, "_run", failing(ZeroDivisionError("a bug\nin two lines")))
    assert main(["run", "fall"]) == 1
    _, err = capfd.readouterr()
    assert err.count("\n") == 1
    assert err.startswith("cosim: ZeroDivisionError: a bug in two lines")
    assert "COSIM_DEBUG=1" in err
    monkeypatch.setenv("COSIM_DEBUG", "1")
    assert main(["run", "fall"]) == 1
    assert "Traceback" in capfd.readouterr().err


def test_a_reader_that_goes_away_is_no_error_to_talk_about(here: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(cosim.__file__).parents[1]), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "cosim", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1


# --- report


def test_report_of_one_and_of_several(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        assert main(["run", "fall", "--out", name, "--no-report"]) == 0
    capfd.readouterr()
    assert main(["report", "a"]) == 0
    assert capfd.readouterr().out == "a/report.html\n"
    assert main(["report", "a", "b", "--out", "both", "--json"]) == 0
    assert answer(capfd) == {"report": "both/report.html"}
    assert (here / "both/report.html").is_file()
