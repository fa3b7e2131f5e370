"""Workers as processes of this machine."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cosim.sweep.messages import pair

#: one thread each: there is a worker for every core
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class LocalWorker:
    """A process that does runs. What it prints is kept, for the case that it dies."""

    def __init__(self) -> None:
        self.line, there = pair()
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115, closed by `end`
        root = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-m", "cosim.sweep.worker", str(there.fileno())],
            pass_fds=[there.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._output,
            env={**THREADS, **os.environ, "PYTHONPATH": paths},
        )  # fmt: skip
        there.close()
        self.killed = False

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ended(self) -> str:
        """Why it ended."""
        code = self._process.wait()
        self.killed = code < 0
        if code < 0:
            return f"the worker was killed by signal {-code} ({signal.strsignal(-code)})"
        self._output.seek(0)
        lines = self._output.read().decode(errors="replace").strip().splitlines()
        return f"the worker ended with code {code}" + (f": {lines[-1].strip()}" if lines else "")

    def end(self) -> None:
        """See that it ends, at once."""
        self.line.close()
        self._process.kill()
        self._process.wait()
        self._output.close()


class Pool:
    """All workers that were started, ended with the pool."""

    def __init__(self) -> None:
        self._workers: list[LocalWorker] = []

    def start(self) -> LocalWorker:
        """One more."""
        worker = LocalWorker()
        self._workers.append(worker)
        return worker

    def close(self) -> None:
        """End all of them."""
        for worker in self._workers:
            worker.end()


@contextmanager
def pool() -> Iterator[Pool]:
    """A pool whose workers end with the block, whatever happens."""
    found = Pool()
    try:
        yield found
    finally:
        found.close()
