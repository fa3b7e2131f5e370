"""One rank fails, all end: at once, with one message, the record readable, and the run can go on."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cosim.record import Result
from tests.mpi.helpers import cosim, hashes, manifest, needs_mpi, ranks_of, run, start, wait_for

pytestmark = needs_mpi


def begun(out: Path, mark: str, ranks: int = 3) -> tuple[subprocess.Popen[str], dict[int, int]]:
    """A run of the reflex that has taken a checkpoint and goes on, and its processes by rank."""
    job = start(
        ranks, *cosim("run", "stretch_reflex", "--duration", "12 s", "--checkpoint", "1 s", "--no-report",
                      "--out", str(out)), COSIM_TEST_JOB=mark,
    )  # fmt: skip
    wait_for(lambda: len(list(out.glob("checkpoints/*.checkpoint"))) > 1 or job.poll() is not None, "a checkpoint")
    found = ranks_of(job, mark)
    assert sorted(found) == list(range(ranks)), job.communicate()
    return job, found


def gone(pid: int) -> bool:
    """Whether a process has ended (a zombie has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Hashes of the run when nothing happens to it, on one process."""
    out = tmp_path_factory.mktemp("unbroken") / "run"
    done = run(1, *cosim("run", "stretch_reflex", "--duration", "12 s", "--checkpoint", "1 s", "--no-report",
                         "--out", str(out)))  # fmt: skip
    assert done.returncode == 0, done.stderr
    return hashes(out)


@pytest.mark.parametrize("victim", [1, 0])
def test_a_killed_rank_ends_all_within_5_s_and_the_run_goes_on_with_two(
    victim: int, tmp_path: Path, unbroken: dict[str, str]
) -> None:
    out = tmp_path / "run"
    job, found = begun(out, str(tmp_path))
    os.kill(found[victim], signal.SIGKILL)
    killed = time.monotonic()
    wait_for(lambda: all(gone(pid) for pid in found.values()), "the end of all ranks", 5)
    assert time.monotonic() - killed < 5
    _, said = job.communicate(timeout=20)
    assert job.returncode != 0
    assert said.count(f"rank {victim} of 3 was lost") == 1
    assert "Traceback" not in said
    if victim:
        assert manifest(out)["status"] == "interrupted"
        assert f"rank {victim} of 3 was lost" in manifest(out)["message"]
    assert Result(out).spikes()[0].size > 0
    done = run(2, *cosim("run", "--resume", str(out), "--no-report"))
    assert done.returncode == 0, done.stderr
    assert hashes(out) == unbroken


def test_an_exception_on_any_rank_ends_all_with_exit_code_3(tmp_path: Path) -> None:
    """Rank 2 blows up: a neuron of its own becomes infinite, which only it can see."""
    document = tmp_path / "run" / "burst.yaml"
    circuit = tmp_path / "circuits" / "burst" / "circuit.yaml"
    document.parent.mkdir()
    circuit.parent.mkdir(parents=True)
    circuit.write_text(
        "cosim: circuit/1\nname: burst\nmodels:\n  m: {equations: 'dv/dt = k*v/ms : 1', method: euler}\n"
        "populations:\n  A: {model: m, n: 9, parameters: {k: '200*where(i > 7, 1, -0.001)'}, initial: {v: 1}}\n"
    )
    document.write_text("cosim: experiment/1\nname: burst\ncircuit: burst\nduration: 10 s\n")
    out = tmp_path / "out"
    done = run(3, *cosim("run", str(document), "--no-report", "--out", str(out)))
    assert done.returncode == 3, done.stderr
    told = [line for line in done.stderr.splitlines() if "blew up" in line]
    assert len(told) == 1
    assert told[0].startswith("rank 2 of 3: the network blew up")
    assert "v of neuron 8 of population 'A' is not finite" in told[0]
    assert manifest(out)["status"] == "failed"
    assert "rank 2 of 3" in manifest(out)["message"]


def test_a_mistake_in_a_document_is_told_once(tmp_path: Path) -> None:
    done = run(2, *cosim("run", "stretch_reflx", "--out", str(tmp_path / "out")))
    assert done.returncode == 2
    assert done.stderr.count("no experiment 'stretch_reflx'") == 1
    assert "rank" not in done.stderr.splitlines()[0]


def test_an_interrupted_run_can_be_read(tmp_path: Path) -> None:
    out = tmp_path / "run"
    job, _ = begun(out, str(tmp_path), ranks=2)
    job.send_signal(signal.SIGINT)
    job.communicate(timeout=20)
    assert manifest(out)["status"] == "interrupted"
    assert Result(out).spikes()[0].size > 0
