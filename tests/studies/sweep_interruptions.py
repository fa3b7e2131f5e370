"""The shipped small sweeps by processes, under mpirun, and killed again and again: one table.

    python -m tests.studies.sweep_interruptions [KILLS] [NAME ...]        # a quarter of an hour on two cores

Every sweep (without names the three of the salamander) is run by two workers and by two ranks of mpirun. Then it is run
once more by workers and once more by ranks, and at KILLS random moments (10, every third of them under mpirun) a
worker, the master or a rank is killed with SIGKILL, and the sweep is started again where it ended with that. In all
cases the table, as CSV and as parquet, must be that of the run that nobody disturbed, to the byte.
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from cosim.sweep.columnar import csv_bytes, write_parquet
from cosim.sweep.table import read
from tests.mpi import helpers as mpi
from tests.sweep.helpers import children, kill, start, wait_for_rows

NAMES = ("salamander_feedback_small", "salamander_ablation_small", "salamander_delay_small")
#: a run that is hit every time is still no failure
RETRIES = "100"


def table(out: Path) -> tuple[bytes, bytes]:
    """The table of a finished sweep as CSV and as parquet."""
    found = read(out)
    assert found.count("not run") == 0, f"{found.count('not run')} runs have no row"
    parquet = out / "compared.parquet"
    write_parquet(found.columns(), parquet)
    return csv_bytes(found.columns()), parquet.read_bytes()


def finished(job: subprocess.Popen[str]) -> None:
    """Wait for a sweep that nobody disturbs."""
    _, err = job.communicate()
    assert job.returncode == 0, err


def rows(out: Path) -> int:
    """Runs that are done."""
    return len(list((out / "rows").glob("*.json")))


def killed(name: str, out: Path, ranks: int | None, kills: int, chance: random.Random) -> list[str]:
    """Kill the sweep so often and let it go on; who was killed, and how many rows there were."""
    told: list[str] = []
    while True:
        words = ["sweep", name, "--out", str(out), "--retries", RETRIES]
        if ranks is None:
            job = start(*words[1:], "--workers", "2")
        else:
            job = mpi.start(ranks, *mpi.cosim(*words), COSIM_TEST_JOB=str(out))
        while len(told) < kills and job.poll() is None:
            wait_for_rows(job, out, rows(out) + chance.randint(0, 3), seconds=1200)
            time.sleep(chance.uniform(0, 3))
            if ranks is None:
                there = {f"worker {i + 1}": pid for i, pid in enumerate(children(job.pid))} | {"master": job.pid}
            else:
                there = {f"rank {rank}": pid for rank, pid in mpi.ranks_of(job, str(out)).items()}
            if job.poll() is not None or not there:
                continue
            victim = chance.choice(sorted(there))
            told.append(f"{victim} at {rows(out)} rows")
            kill(there[victim])
        _, err = job.communicate()
        if job.returncode == 0:
            return told
        assert told, err


def main(kills: int = 10, names: Sequence[str] = NAMES, seed: int = 1) -> None:
    """Print a line per sweep and way; stops where a table differs."""
    chance = random.Random(seed)
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            whole, ranks = Path(folder) / "whole", Path(folder) / "ranks"
            begin = time.monotonic()
            finished(start(name, "--out", str(whole), "--workers", "2"))
            expected = table(whole)
            print(
                f"{name}: {len(read(whole).rows)} runs by two workers in {time.monotonic() - begin:.0f} s", flush=True
            )
            begin = time.monotonic()
            finished(mpi.start(2, *mpi.cosim("sweep", name, "--out", str(ranks))))
            assert table(ranks) == expected, "another table under mpirun"
            print(f"{name}: the same table by two ranks in {time.monotonic() - begin:.0f} s", flush=True)
            for count, ranks_ in ((kills - kills // 3, None), (kills // 3, 2)):
                if not count:
                    continue
                out = Path(folder) / f"killed{ranks_ or ''}"
                told = killed(name, out, ranks_, count, chance)
                assert table(out) == expected, f"another table after {told}"
                print(f"{name}: the same table after {len(told)} kills: {', '.join(told)}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *([sys.argv[2:]] if sys.argv[2:] else []))
