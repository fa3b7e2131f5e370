"""A run that was interrupted and one that was not are the same run."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import cosim
from cosim.checkpoint.keep import Keeper, listed
from cosim.checkpoint.resume import resume
from cosim.errors import UserError
from cosim.neural.toolchain import has_compiler
from tests.checkpoint.helpers import MODELS, cut_off, hashes, killed, restored, status, uninterrupted


@pytest.fixture(scope="module", params=list(MODELS))
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A result that was not interrupted, with all its checkpoints."""
    return uninterrupted(request.param, tmp_path_factory.mktemp("whole") / request.param)


def test_restored_at_random_ticks_in_fresh_processes(whole: Path, tmp_path: Path) -> None:
    # (on the runtime backend, at ten ticks each: tests/studies/interruptions.py)
    restored(whole, tmp_path, 4 if whole.name == "crawler" else 10)


@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
def test_restored_in_fresh_processes_on_the_runtime_backend(tmp_path: Path) -> None:
    whole = uninterrupted("plastic", tmp_path / "plastic", "runtime")
    restored(whole, tmp_path, 3, "runtime")
    assert hashes(uninterrupted("plastic", tmp_path / "compiled")) == hashes(whole)


def test_checkpoints_of_a_body_that_nothing_touches_leave_no_trace(whole: Path, tmp_path: Path) -> None:
    name, changes = MODELS[whole.name]
    plain = {key: value for key, value in changes.items() if key != "checkpoint"}
    cosim.load(name, plain).run(out=tmp_path / "plain")
    assert not (tmp_path / "plain" / "checkpoints").exists()
    if "world.ground" not in changes:
        assert hashes(tmp_path / "plain") == hashes(whole)


def test_killed_four_times_at_random_and_resumed(tmp_path: Path) -> None:
    # (twenty times: tests/studies/interruptions.py)
    assert killed(tmp_path, 4)[-1] < 2000


# -- what cannot be resumed, and why (the reflex, in this process) -----------------------------------------------------


@pytest.fixture(scope="module")
def reflex(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Complete, with its last two checkpoints: at 60 and 80 ms of 100."""
    path = tmp_path_factory.mktemp("short") / "reflex"
    changes = {"duration": "100 ms", "transient": "0 s", "checkpoint": "20 ms", "measure": {}}
    cosim.load("stretch_reflex", changes).run(out=path)
    assert [int(file.stem) for file in listed(path)] == [80, 60]
    return path


@pytest.fixture
def interrupted(reflex: Path, tmp_path: Path) -> Path:
    path = cut_off(reflex, tmp_path / "run", 80)
    shutil.copy(reflex / "checkpoints" / "000000060.checkpoint", path / "checkpoints")
    return path


def test_a_damaged_checkpoint_is_named_and_the_one_before_it_used(interrupted: Path, reflex: Path) -> None:
    file = interrupted / "checkpoints" / "000000080.checkpoint"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    said: list[str] = []
    resume(interrupted, say=said.append)
    assert said[0] == f"{file} is damaged: its SHA-256 is not the one in it; the checkpoint before it is used"
    assert said[1] == f"{interrupted}: going on at 0.06 s"
    assert hashes(interrupted) == hashes(reflex)
    assert [int(file.stem) for file in listed(interrupted)] == [80, 60]  # written again


def test_any_backend_goes_on_where_another_was(interrupted: Path, reflex: Path) -> None:
    resume(interrupted, backend="numpy")
    assert hashes(interrupted) == hashes(reflex)


def test_a_checkpoint_whose_record_is_gone_is_not_used(interrupted: Path) -> None:
    array = interrupted / "data.zarr" / "wires" / "motor" / "sent"
    document = json.loads((array / "zarr.json").read_text())
    document["shape"][0] = 70
    (array / "zarr.json").write_text(json.dumps(document))
    said: list[str] = []
    resume(interrupted, say=said.append)
    assert "holds 70 rows of 80; the checkpoint before it is used" in said[0]
    assert hashes(interrupted)["status"] == "complete"


def test_none_that_can_be_used(interrupted: Path) -> None:
    for file in listed(interrupted):
        file.write_bytes(file.read_bytes()[:-40])
    with pytest.raises(UserError, match="none of its checkpoints can be used; run it again with --force"):
        resume(interrupted)


def test_a_run_without_checkpoints_says_so(interrupted: Path) -> None:
    shutil.rmtree(interrupted / "checkpoints")
    with pytest.raises(UserError, match="has no checkpoint, so it cannot be resumed"):
        resume(interrupted)


def test_a_complete_run_is_left_alone(reflex: Path) -> None:
    before, said = (reflex / "manifest.json").read_bytes(), []
    assert resume(reflex, say=said.append).manifest["status"] == "complete"
    assert said == [f"{reflex}: the run is complete; there is nothing to resume"]
    assert (reflex / "manifest.json").read_bytes() == before


def test_a_run_that_failed_would_fail_again(interrupted: Path) -> None:
    change(interrupted, status="failed", message="tick 7: boom")
    with pytest.raises(UserError, match="failed, and would do so again if it were resumed: tick 7: boom"):
        resume(interrupted)


def change(path: Path, **entries: Any) -> None:
    manifest = json.loads((path / "manifest.json").read_text())
    (path / "manifest.json").write_text(json.dumps({**manifest, **entries}))


def test_other_documents_are_refused(interrupted: Path) -> None:
    manifest = json.loads((interrupted / "manifest.json").read_text())
    change(interrupted, overrides={**manifest["overrides"], "wires.motor.delay": "30 ms"})
    with pytest.raises(UserError, match="its documents are not those of the run") as caught:
        resume(interrupted)
    assert "000000080.checkpoint cannot be resumed here" in str(caught.value)
    assert (interrupted / "manifest.json").read_text() != ""
    assert status(interrupted) == "running"


def test_a_document_that_is_gone(interrupted: Path) -> None:
    manifest = json.loads((interrupted / "manifest.json").read_text())
    change(interrupted, documents={**manifest["documents"], "experiment": "/nowhere/x.yaml"})
    with pytest.raises(UserError, match=r"its experiment is no longer at /nowhere/x\.yaml"):
        resume(interrupted)


def test_other_versions_are_refused(interrupted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cosim.checkpoint import running

    now = running.versions()
    monkeypatch.setattr(running, "versions", lambda: {**now, "pybullet": "9.9"})
    with pytest.raises(UserError, match=rf"it was made with pybullet {now['pybullet']}, here is 9\.9"):
        resume(interrupted)


def test_a_run_that_still_goes_on(interrupted: Path) -> None:
    with Keeper(interrupted), pytest.raises(UserError, match="the run still goes on in another process"):
        resume(interrupted)
    resume(interrupted)


def test_no_directory_and_no_result(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no such result directory"):
        resume(tmp_path / "none")
    with pytest.raises(UserError, match="not a cosim result"):
        resume(tmp_path)


# -- on the command line -----------------------------------------------------------------------------------------------


def test_the_command_line_tells_what_it_does_not_do(reflex: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cosim.cli import main

    assert main(["run", "--resume", str(reflex), "--no-report"]) == 0
    captured = capsys.readouterr()
    assert f"{reflex}: the run is complete; there is nothing to resume" in captured.err
    assert str(reflex.name) in captured.out
    assert main(["run", "--resume", str(reflex), "--seed", "0", "--force", "lever"]) == 2
    said = capsys.readouterr().err
    assert "--resume goes on with the run as it was begun; it does not go with --seed, --force, NAME" in said
    assert main(["run"]) == 2
    assert "which experiment? Give its NAME, or --resume DIR" in capsys.readouterr().err


def test_the_command_line_asks_for_checkpoints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from cosim.cli import main

    short = ["--duration", "60 ms", "--set", "transient=0 s", "--no-report", "--no-overlap", "--out"]
    assert main(["run", "stretch_reflex", "--checkpoint", "20 ms", *short, str(tmp_path / "a")]) == 0
    assert [int(file.stem) for file in listed(tmp_path / "a")] == [40, 20]
    assert main(["run", "--checkpoint", "stretch_reflex", *short, str(tmp_path / "b")]) == 0  # every second
    assert [int(file.stem) for file in listed(tmp_path / "b")] == [0]
    assert main(["run", "stretch_reflex", "--checkpoint", "1.5 ms", *short, str(tmp_path / "c")]) == 2
    assert "does not divide the time between checkpoints of 0.0015 s" in capsys.readouterr().err
    assert main(["run", "stretch_reflex", *short, str(tmp_path / "d")]) == 0
    assert main(["run", "--resume", str(tmp_path / "d")]) == 0  # complete
    manifest = json.loads((tmp_path / "d" / "manifest.json").read_text())
    (tmp_path / "d" / "manifest.json").write_text(json.dumps({**manifest, "status": "interrupted"}))
    assert main(["run", "--resume", str(tmp_path / "d")]) == 2
    assert "has no checkpoint, so it cannot be resumed" in capsys.readouterr().err
