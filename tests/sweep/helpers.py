"""Run sweeps as a user does, kill them, and compare what is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> list[str]:
    """The command line of a sweep."""
    return [sys.executable, "-m", "cosim", "sweep", *arguments]


def environment() -> dict[str, str]:
    """With this checkout first."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(command(*arguments), env=environment(), capture_output=True, text=True, timeout=240)


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start it."""
    return subprocess.Popen(
        command(*arguments), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def rows(out: Path) -> dict[str, bytes]:
    """Every row as it stands on the disk, but for the number of attempts."""
    found = {}
    for file in (out / "rows").glob("*.json"):
        row: dict[str, Any] = json.loads(file.read_text())
        del row["attempts"]
        found[file.stem] = json.dumps(row).encode()
    return found


def children(pid: int) -> list[int]:
    """The workers of a master."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int((entry / "stat").read_text().rpartition(")")[2].split()[1]) == pid:
                found.append(int(entry.name))
        except (OSError, IndexError):
            continue
    return found


def wait_for_rows(job: subprocess.Popen[str], out: Path, count: int, seconds: float = 120) -> None:
    """Until so many runs are done."""
    end = time.monotonic() + seconds
    while len(list((out / "rows").glob("*.json"))) < count and job.poll() is None:
        assert time.monotonic() < end, "no rows came"
        time.sleep(0.01)


def kill(pid: int) -> None:
    """SIGKILL, if it is still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
