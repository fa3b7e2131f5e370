"""The sides of a comparison: one network in cosim's backends, in this process, and in other simulators, in theirs."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import IO, Any, NamedTuple

from cosim.bench.circuits import CELLS, STEPS, Measured
from cosim.errors import CosimError
from cosim.mpi.launcher import permission
from cosim.neural.backend import NeuralBackend
from cosim.neural.compiled import CompiledBackend


class Block(NamedTuple):
    """One measurement: wall seconds, ticks, spikes in them."""

    seconds: float
    ticks: int
    spikes: int

    @property
    def tick(self) -> float:
        """Wall seconds per tick."""
        return self.seconds / self.ticks


def spread(values: Sequence[float], factor: float = 1.0) -> dict[str, float]:
    """Median and range of some values, times a factor."""
    return {"median": factor * median(values), "min": factor * min(values), "max": factor * max(values)}


def by_round(values: Sequence[float], rounds: int) -> list[float]:
    """Medians of as many values in each round."""
    per = len(values) // rounds
    return [median(values[i * per : (i + 1) * per]) for i in range(rounds)]


def ratio(rows: Mapping[str, Sequence[float]], above: str, below: str) -> dict[str, float]:
    """Spread of the ratio of two rows, entry by entry."""
    return spread([a / b for a, b in zip(rows[above], rows[below], strict=True)])


Side = Callable[[int], Block]  # ticks -> measurement
Say = Callable[[str], None]


class Inner:
    """A backend of cosim in this process, stepped tick by tick as the bridge does it."""

    def __init__(self, backend: NeuralBackend, measured: Measured) -> None:
        self.backend = backend
        self._current = backend.view(CELLS, "I")[: measured.drive.shape[1]]
        self._drive = list(measured.drive)

    def lockstep(self, ticks: int) -> Block:
        """Each tick: integrate, read the spikes, write the currents."""
        backend, current, drive = self.backend, self._current, self._drive
        spikes, rows = 0, len(drive)
        begin = time.perf_counter()
        for tick in range(ticks):
            backend.advance()
            spikes += len(backend.spikes()[1])
            current[:] = drive[tick % rows]
        return Block(time.perf_counter() - begin, ticks, spikes)


class Compiled(Inner):
    """The compiled backend, which can also be left alone."""

    def __init__(self, measured: Measured) -> None:
        self._compiled = CompiledBackend(measured.network, STEPS)
        super().__init__(self._compiled, measured)

    def alone(self, ticks: int) -> Block:
        """All ticks in one call of the library, spikes read once, inputs as they are."""
        begin = time.perf_counter()
        self._compiled.uninterrupted(ticks)
        spikes = len(self._compiled.spikes()[1])
        return Block(time.perf_counter() - begin, ticks, spikes)


class Peer:
    """A simulator in a process of its own; see cosim.bench.peers.serve. `ready` is what it said when it was built.

    `threads`: as many may it use; `launch`: the words that start it on several ranks.
    """

    def __init__(
        self, module: str, folder: Path, *arguments: str, threads: int = 1, launch: Sequence[str] = ()
    ) -> None:
        root = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
        env = {**os.environ, **permission(), "PYTHONPATH": paths, "OMP_NUM_THREADS": str(threads)}
        self._name = module
        self._log = (folder / f"{module}.log").open("ab")
        self._process = subprocess.Popen(
            [*launch, sys.executable, "-m", f"cosim.bench.peers.{module}", str(folder), *arguments],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, env=env, text=True,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self._in: IO[str] = self._process.stdin
        self._out: IO[str] = self._process.stdout
        try:
            self.ready = self._answer()
        except CosimError:
            self.close()
            raise

    def _answer(self) -> dict[str, Any]:
        line = self._out.readline()
        found: dict[str, Any] = json.loads(line) if line else {"error": "it ended without an answer"}
        if "error" in found:
            raise CosimError(f"{self._name}: {found['error']}")
        return found

    def side(self, action: str) -> Side:
        """One of its actions."""

        def block(ticks: int) -> Block:
            found = self.ask(action, ticks)
            return Block(found["seconds"], found["ticks"], found["spikes"])

        return block

    def ask(self, action: str, ticks: int) -> dict[str, Any]:
        """Let it do something; returns all of its answer."""
        self._say(do=action, ticks=ticks)
        return self._answer()

    def _say(self, **request: Any) -> None:
        self._in.write(json.dumps(request) + "\n")
        self._in.flush()

    def close(self) -> None:
        """End the process."""
        # mpirun does not pass on that its input has ended
        with contextlib.suppress(BrokenPipeError):
            self._say(do="end")
        with contextlib.suppress(BrokenPipeError):
            self._in.close()
        self._process.wait()
        self._out.close()
        self._log.close()
