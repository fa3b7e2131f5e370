"""Start runs on several ranks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from cosim.mpi.launcher import launcher, permission, start_of

ROOT = Path(__file__).resolve().parents[2]


needs_mpi = pytest.mark.skipif(launcher() is None, reason="no mpirun: pip install 'cosim-neuro[mpi]'")


def environment(**more: str) -> dict[str, str]:
    """For mpirun as any user, with ranks that give way while they wait (there may be more of them than cores)."""
    mpi = {
        **permission(),
        "OMPI_MCA_mpi_yield_when_idle": "1",
        "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    }
    path = os.pathsep.join(part for part in (str(ROOT), os.environ.get("PYTHONPATH")) if part)
    return {**os.environ, **mpi, "PYTHONPATH": path, **more}


def command(ranks: int, *arguments: str) -> list[str]:
    """A Python command on several ranks."""
    return [*start_of(ranks), sys.executable, *arguments]


def run(ranks: int, *arguments: str, timeout: float = 240, **more: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        command(ranks, *arguments), env=environment(**more), capture_output=True, text=True, timeout=timeout
    )


def start(ranks: int, *arguments: str, **more: str) -> subprocess.Popen[str]:
    """Start it."""
    return subprocess.Popen(
        command(ranks, *arguments), env=environment(**more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ranks_of(job: subprocess.Popen[str], mark: str) -> dict[int, int]:
    """Process ids of a job's ranks, found by a value `mark` in their environment."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            values = dict(v.split("=", 1) for v in (entry / "environ").read_text().split("\0") if "=" in v)
        except (OSError, UnicodeDecodeError):
            continue
        if values.get("COSIM_TEST_JOB") == mark and "OMPI_COMM_WORLD_RANK" in values:
            found[int(values["OMPI_COMM_WORLD_RANK"])] = int(entry.name)
    return found


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Raise AssertionError if a condition does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        time.sleep(0.02)


def manifest(result: Path) -> dict[str, Any]:
    """The manifest of a result."""
    found: dict[str, Any] = json.loads((result / "manifest.json").read_text())
    return found


def hashes(result: Path) -> dict[str, str]:
    """Its hashes, of a complete run."""
    found = manifest(result)
    assert found["status"] == "complete", found.get("message")
    kept: dict[str, str] = found["hashes"]
    return kept


def cosim(*arguments: str) -> Sequence[str]:
    """The command line of cosim."""
    return ("-m", "cosim", *arguments)
