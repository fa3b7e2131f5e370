"""Under mpirun a sweep has the rows that it has without."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosim.mpi.world import use, world
from tests.mpi.helpers import cosim, needs_mpi, ranks_of, run, start
from tests.sweep import helpers
from tests.sweep.documents import SWEEP, write

#: a run blows up in the network, one in the body
BLOWS = SWEEP[: SWEEP.index("vary:")] + (
    "vary: {circuit.models.lif.parameters.tau_s: [1 ms, -0.2 ms], perturb.tap.value: [-0.5 N*m, -1e12 N*m]}\n"
    "ablate: {late: [{cut: Ia_MN, at: 25 ms}]}\nrepeat: 2\nmeasure: [rate_MN, latency]\n"
)


@pytest.fixture(scope="module")
def documents(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sweeps, and their rows by processes of this machine."""
    folder = tmp_path_factory.mktemp("ranks")
    for name, text in (("tiny", SWEEP), ("blows", BLOWS.replace("name: tiny", "name: blows"))):
        done = helpers.run(str(write(folder, text, name)), "--out", str(folder / name))
        assert done.returncode == 0, done.stderr
    return folder


@needs_mpi
@pytest.mark.parametrize(("name", "ranks", "per_run"), [("tiny", 2, 1), ("blows", 3, 2), ("blows", 4, 2)])
def test_the_same_rows(name: str, ranks: int, per_run: int, documents: Path, tmp_path: Path) -> None:
    more = ["--out", str(tmp_path / "out"), "--ranks-per-run", str(per_run)]
    done = run(ranks, *cosim("sweep", str(documents / f"run/{name}.yaml"), *more))
    assert done.returncode == 0, done.stderr
    assert helpers.rows(tmp_path / "out") == helpers.rows(documents / name)


@needs_mpi
@pytest.mark.parametrize("victim", [0, 1])
def test_a_rank_is_killed_and_the_same_command_goes_on(victim: int, documents: Path, tmp_path: Path) -> None:
    command = cosim("sweep", str(documents / "run/tiny.yaml"), "--out", str(tmp_path / "out"))
    job = start(2, *command, COSIM_TEST_JOB=str(tmp_path))
    helpers.wait_for_rows(job, tmp_path / "out", 3)
    helpers.kill(ranks_of(job, str(tmp_path))[victim])
    job.communicate(timeout=60)
    assert job.returncode != 0
    assert 3 <= len(helpers.rows(tmp_path / "out")) < 32
    assert run(2, *command).returncode == 0
    assert helpers.rows(tmp_path / "out") == helpers.rows(documents / "tiny")


@needs_mpi
def test_what_is_wrong_is_told_once(documents: Path, tmp_path: Path) -> None:
    file = write(tmp_path, SWEEP.replace("wires.motor.delay", "wires.motor.dealy"))
    done = run(2, *cosim("sweep", str(file), "--out", str(tmp_path / "out")))
    assert done.returncode == 2
    assert done.stderr.count("did you mean 'wires.motor.delay'?") == 1
    assert not (tmp_path / "out").exists()
    done = run(
        2, *cosim("sweep", str(documents / "run/tiny.yaml"), "--ranks-per-run", "3", "--out", str(tmp_path / "o"))
    )
    assert done.returncode == 2
    assert "3 ranks per run are wanted, and 2 were started" in done.stderr


def test_ranks_can_be_hidden_from_a_run() -> None:
    assert world() is None
    with use("others"):  # type: ignore[arg-type]
        assert world() == "others"
        with use(None):
            assert world() is None
        assert world() == "others"
    assert world() is None
