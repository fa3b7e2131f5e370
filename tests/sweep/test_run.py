"""Sweeps that run: the same rows for any number of workers, and after anything that can end one."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cosim.api import Experiment
from cosim.cli import main
from cosim.spec.load import load_experiment
from cosim.sweep.load import load_sweep
from cosim.sweep.plan import changes, plan
from tests.sweep.documents import SWEEP, write
from tests.sweep.helpers import children, environment, kill, rows, run, start, wait_for_rows

SMALL = SWEEP.replace("gain: [1, 2]", "gain: [1]")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rows of a sweep that nobody disturbed, by one worker."""
    folder = tmp_path_factory.mktemp("whole")
    done = run(str(write(folder)), "--out", str(folder / "out"), "--workers", "1", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["runs"], told["there"], told["done"], told["failed"]) == (32, 0, 32, 0)
    return folder / "out"


def test_two_workers_give_the_rows_of_one(whole: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(write(here)), "--out", "out", "--workers", "2"]) == 0
    assert rows(here / "out") == rows(whole)
    assert (here / "out/sweep.json").read_bytes() == (whole / "sweep.json").read_bytes()
    assert "cosim sweep report out" in capfd.readouterr().out


def test_a_row_is_what_a_run_by_itself_gives(whole: Path, here: Path) -> None:
    found = plan(load_sweep(write(here)))
    arms = {arm.name: arm for arm in found.sweep.arms}
    for run_ in (found.runs[2], found.runs[21], found.runs[31]):  # lesions from the start, in mid-run, a shuffle
        loaded = load_experiment(found.sweep.experiment, changes(found.sweep, run_.point, arms[run_.arm]))
        result = Experiment("x", {}, loaded).run(seed=run_.seed, out=here / "alone", force=True)
        row: dict[str, Any] = json.loads((whole / f"rows/{run_.name}.json").read_text())
        for name in ("spikes", "body"):
            assert row["hashes"][name] == result.manifest["hashes"][name]
        for name, value in row["metrics"].items():
            wanted = result.metrics[name]
            assert np.float64(np.nan if value is None else value).tobytes() == np.float64(wanted).tobytes(), name


def test_what_is_there_is_not_run_again(whole: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = str(write(here, SMALL))
    assert main(["sweep", file, "--out", "out", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["done"] == 16
    stamps = {path.name: path.stat().st_mtime_ns for path in (here / "out/rows").iterdir()}
    assert main(["sweep", file, "--out", "out", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["done"] == 0
    assert {path.name: path.stat().st_mtime_ns for path in (here / "out/rows").iterdir()} == stamps
    write(here)  # another value on an axis: only what is new is run
    assert main(["sweep", file, "--out", "out", "--json"]) == 0
    told = json.loads(capfd.readouterr().out)
    assert (told["there"], told["done"]) == (16, 16)
    assert rows(here / "out") == rows(whole)


def test_a_run_that_goes_wrong_is_a_row(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = SMALL[: SMALL.index("ablate:")] + "repeat: 1\nmeasure: [rate_MN]\n"
    blows = "  perturb.tap.value: [-0.5 N*m, -1e12 N*m]\n"
    file = str(write(here, text.replace("  circuit.projections.Ia_MN.gain: [1]\n", blows)))
    assert main(["sweep", file, "--out", "out", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["failed"] == 2
    found = [json.loads(path.read_text()) for path in sorted((here / "out/rows").iterdir())]
    assert [row["status"] for row in found] == ["complete", "failed"] * 2
    assert "elbow" in found[1]["reason"]
    assert (found[1]["metrics"], found[1]["attempts"]) == ({}, 1)
    assert main(["sweep", file, "--out", "out", "--json"]) == 0
    assert json.loads(capfd.readouterr().out)["done"] == 0
    assert main(["sweep", file, "--out", "out", "--json", "--failed"]) == 0
    assert json.loads(capfd.readouterr().out)["done"] == 2


def test_values_that_do_not_go_together_are_rows_too(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = SMALL[: SMALL.index("vary:")] + "vary: {duration: [50 ms, 200 ms], transient: [0 s, 45 ms]}\nset: {x: 1}\n"
    text = text.replace("\nset: {x: 1}", "").replace("duration: 50 ms", "duration: 100 ms")
    text += "repeat: 1\nmeasure: [rate_MN]\n"
    file = str(write(here, text.replace("transient: [0 s, 45 ms]", "transient: [0 s, 60 ms]")))
    assert main(["sweep", file, "--out", "out"]) == 0
    found = [json.loads(path.read_text()) for path in sorted((here / "out/rows").iterdir())]
    assert [row["status"] for row in found] == ["complete", "failed", "complete", "complete"]
    assert found[1]["reason"] == "transient: the transient must be shorter than the duration"


@pytest.mark.parametrize("victim", ["worker", "master"])
def test_killed_and_resumed_it_has_the_same_rows(victim: str, whole: Path, here: Path) -> None:
    arguments = [str(write(here)), "--out", str(here / "out"), "--workers", "2"]
    job = start(*arguments)
    wait_for_rows(job, here / "out", 4)
    workers = children(job.pid)
    kill(job.pid if victim == "master" else workers[0])
    out, err = job.communicate(timeout=120)
    if victim == "worker":
        assert job.returncode == 0, err
        assert "failed" not in out
    else:
        gone(workers)
        assert 4 <= len(rows(here / "out")) < 32
        assert run(*arguments).returncode == 0
    assert rows(here / "out") == rows(whole)
    assert not list((here / "out").rglob(".*"))  # what was not finished is gone, or was never there


def gone(workers: list[int]) -> None:
    """Workers end with their master."""
    end = time.monotonic() + 10
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < end, "workers outlived their master"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_at_its_walltime_it_stops_cleanly(number: signal.Signals, here: Path) -> None:
    job = start(str(write(here)), "--out", str(here / "out"), "--workers", "2")
    wait_for_rows(job, here / "out", 2)
    workers = children(job.pid)
    job.send_signal(number)
    _, err = job.communicate(timeout=60)
    assert job.returncode == 1
    assert "of 32 runs are done, and the same command goes on" in err
    assert "Traceback" not in err
    gone(workers)


def test_a_worker_that_always_dies_is_a_row_with_its_reason(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = SMALL[: SMALL.index("ablate:")] + "repeat: 1\nmeasure: [rate_MN]\n"
    job = start(str(write(here, text.replace("duration: 50 ms", "duration: 600 s"))), "--out", "out",
                "--workers", "1", "--retries", "1")  # fmt: skip
    killed: set[int] = set()
    end = time.monotonic() + 120
    while job.poll() is None and time.monotonic() < end:
        for pid in children(job.pid):
            # its first ticks have begun: it is past its start
            if pid not in killed and b"network.so" in Path(f"/proc/{pid}/maps").read_bytes():
                kill(pid)
                killed.add(pid)
        time.sleep(0.02)
    _, err = job.communicate()
    assert job.returncode == 3, err
    found = [json.loads(path.read_text()) for path in sorted((here / "out/rows").iterdir())]
    assert [row["reason"] for row in found] == ["the worker was killed by signal 9 (Killed) (2 attempts)"] * 2
    assert [row["attempts"] for row in found] == [2, 2]
    assert "every run failed" in err


def test_records_are_kept_where_that_is_wanted(here: Path) -> None:
    text = SMALL[: SMALL.index("ablate:")] + "repeat: 1\nmeasure: [rate_MN]\nkeep: runs\n"
    assert main(["sweep", str(write(here, text)), "--out", "out"]) == 0
    for file in (here / "out/rows").iterdir():
        row = json.loads(file.read_text())
        manifest = json.loads((here / f"out/runs/{row['hash']}/manifest.json").read_text())
        assert manifest["status"] == "complete"
        assert manifest["hashes"] == row["hashes"]
        assert manifest["metrics"]["rate_MN"] == row["metrics"]["rate_MN"]


def test_a_job_array_does_every_run_once(whole: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = str(write(here))
    assert main(["sweep", file, "--out", "out", "--part", "1/3"]) == 2
    assert "was not prepared for this plan" in capfd.readouterr().err
    assert main(["sweep", file, "--out", "out", "--slurm", "array", "--workers", "3"]) == 0
    script = Path(capfd.readouterr().out.strip())
    assert f"set -- {file} --out {here / 'out'}" in script.read_text()
    assert "#SBATCH --array=1-3" in script.read_text()
    done = []
    for number in "123":
        text = script.read_text().replace("exec cosim sweep", "exec python -m cosim sweep --json")
        slurm = {"SLURM_ARRAY_TASK_ID": number, "SLURM_ARRAY_TASK_COUNT": "3", "SLURM_CPUS_PER_TASK": "1"}
        job = subprocess.run(["bash", "-c", text], env={**environment(), **slurm}, capture_output=True, text=True)
        assert job.returncode == 0, job.stderr
        done.append(json.loads(job.stdout)["done"])
    assert sum(done) == 32
    assert max(done) - min(done) <= 1
    assert rows(here / "out") == rows(whole)


def test_a_dry_run_tells_and_writes_nothing(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["sweep", str(write(here)), "--dry-run", "--json", "--workers", "4"]) == 0
    told = json.loads(capfd.readouterr().out)
    # by gain (2), by intact or silenced, cut, shuffled (3), by seed (2)
    assert (told["runs"], told["there"], told["programs"], told["networks"]) == (32, 0, 1, 12)
    wanted = (32 * told["seconds_per_run"] + 12 * told["seconds_per_network"]) / 4
    assert told["seconds"] == pytest.approx(wanted + 1.0)
    assert [path.name for path in here.iterdir()] == ["run"]


def test_documents_that_change_meanwhile_stop_it(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    experiment = "cosim: experiment/1\nname: mine\nextends: stretch_reflex\n"
    write(here, experiment, "mine")
    text = SMALL.replace("experiment: stretch_reflex", "experiment: mine").replace("repeat: 2", "repeat: 40")
    file = write(here, text)
    job = start(str(file), "--out", str(here / "out"), "--workers", "1")
    wait_for_rows(job, here / "out", 2)
    write(here, experiment + "title: another\n", "mine")
    _, err = job.communicate(timeout=60)
    assert job.returncode == 1
    assert "run/mine.yaml was changed while the sweep ran; start it again" in err


def test_documents_may_lie_beside_the_working_directory(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(here, "cosim: experiment/1\nname: mine\nextends: stretch_reflex\n", "mine")
    text = SMALL[: SMALL.index("ablate:")] + "repeat: 1\nmeasure: [rate_MN]\n"
    write(here, text.replace("experiment: stretch_reflex", "experiment: ./mine.yaml"))
    (here / "work").mkdir()
    monkeypatch.chdir(here / "work")
    write(here / "work", "cosim: sweep/1\nname: more\nextends: ../../run/tiny.yaml\n", "more")
    for name in ("../run/tiny.yaml", "run/more.yaml"):
        assert main(["sweep", name, "--out", f"out {name[-9]}"]) == 0
