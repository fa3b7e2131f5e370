"""The batch scripts: what a scheduler reads of them, and the command that they end in."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "run" / "cluster"
SCRIPTS = sorted(FOLDER.iterdir())

#: script -> its words, what the scheduler sets, the command; PBS has no words, it passes variables on
COMMANDS = {
    "sweep_mpi.slurm": (
        ["swim", "--set", "a=1 s"],
        {"SLURM_NTASKS": "64"},
        "mpirun|-n|64|cosim|sweep|swim|--set|a=1 s",
    ),
    "sweep_array.slurm": (
        ["swim"],
        {"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_COUNT": "64", "SLURM_CPUS_PER_TASK": "2"},
        "cosim|sweep|swim|--workers|2|--part|7/64",
    ),
    "seeds.slurm": (["swim"], {"SLURM_ARRAY_TASK_ID": "7"}, "cosim|run|swim|--seed|7|--out|results/seeds/swim-7"),
    "sweep_mpi.pbs": (
        [],
        {"sweep": "swim --retries 5"},
        "mpirun|-n|3|--hostfile|NODES|cosim|sweep|swim|--retries|5",
    ),
    "sweep_array.pbs": (
        [],
        {"sweep": "swim", "PBS_ARRAY_INDEX": "7"},
        "cosim|sweep|swim|--workers|1|--part|7/64",
    ),
}


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_the_scheduler_reads_options_before_the_first_command(script: Path) -> None:
    lines = script.read_text(encoding="utf-8").splitlines()
    assert lines[0] == "#!/bin/bash"
    mark = {".slurm": "#SBATCH --", ".pbs": "#PBS -"}[script.suffix]
    options = [i for i, line in enumerate(lines) if line.startswith(mark)]
    first = next(i for i, line in enumerate(lines) if line and not line.startswith("#"))
    assert len(options) >= 4 and options[-1] < first
    form = r"#SBATCH --[a-z-]+=\S+" if script.suffix == ".slurm" else r"#PBS -(N|J|j|l) \S+"
    assert all(re.fullmatch(form, lines[i]) for i in options)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_it_ends_in_the_command(script: Path, tmp_path: Path) -> None:
    words, given, wanted = COMMANDS[script.name]
    nodes = tmp_path / "nodes"
    nodes.write_text("a\na\nb\n")
    for name in ("cosim", "mpirun"):
        (tmp_path / name).write_text(f'#!/bin/bash\n(IFS="|"; echo "{name}|$*|$OMP_NUM_THREADS")\npwd\n')
        (tmp_path / name).chmod(0o755)
    env = {**os.environ, **given, "PATH": f"{tmp_path}:{os.environ['PATH']}", "PBS_NODEFILE": str(nodes),
           "PBS_O_WORKDIR": str(tmp_path)}  # fmt: skip
    done = subprocess.run(["bash", str(script), *words], env=env, capture_output=True, text=True, check=True)
    command, folder = done.stdout.splitlines()
    assert command == wanted.replace("NODES", str(nodes)) + "|1"
    assert Path(folder) == (tmp_path if script.suffix == ".pbs" else Path.cwd())


def test_an_array_of_pbs_has_as_many_jobs_as_parts() -> None:
    text = (FOLDER / "sweep_array.pbs").read_text(encoding="utf-8")
    match = re.search(r"^#PBS -J 1-(\d+)$.*^parts=(\d+)$", text, re.MULTILINE | re.DOTALL)
    assert match is not None and match[1] == match[2]
