"""What a worker makes of what it is told: a run, done and written down."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cosim.bridge.workshop import Workshop
from cosim.errors import CosimError, SimulationError, UserError
from cosim.spec.load import LoadedExperiment, load_experiment
from cosim.spec.overrides import Override, split
from cosim.spec.yamlmarks import from_python
from cosim.sweep.store import RUNS, TIMINGS, write
from cosim.sweep.table import ROWS
from cosim.sweep.task import Job, Row, Task, texts_of

Say = Callable[[str], None]


class Stop(CosimError):
    """The sweep cannot go on: its documents changed, or rows cannot be written."""


@dataclass
class Hand:
    """Does runs one after the other, and keeps the network from one to the next. `writes` is false on ranks that help
    another one."""

    job: Job
    say: Say
    writes: bool = True
    workshop: Workshop = field(default_factory=Workshop)

    def do(self, task: Task) -> str:
        """Run, measure, and write the row; returns its status.

        Raises Stop; and what may be another time, or on another machine, otherwise: OSError, MemoryError, CosimError.
        """
        begin = time.perf_counter()
        row: Row = {**task.identity, "status": "complete", "reason": None, "metrics": {}, "hashes": {}}
        seconds: dict[str, float] = {}
        try:
            loaded = self._loaded(task)
            seconds["load"] = time.perf_counter() - begin
            found = self._found(loaded, task)
            if found is not None:
                row["metrics"], row["hashes"], timings = found
                seconds |= timings
        except UserError as error:
            row |= {"status": "failed", "reason": "; ".join(str(problem) for problem in error.problems)}
        except SimulationError as error:
            row |= {"status": "failed", "reason": str(error)}
        if self.writes:
            self._write(row | {"attempts": task.attempt}, seconds | {"whole": time.perf_counter() - begin})
        status: str = row["status"]
        return status

    def _loaded(self, task: Task) -> LoadedExperiment:
        changes = [Override(split(path), from_python(value, ""), path) for path, value in task.changes]
        loaded = load_experiment(Path(self.job.experiment), changes, origin="", check=False)
        for name, digest in texts_of(loaded).items():
            if self.job.texts.get(name) != digest:
                raise Stop(f"{name} was changed while the sweep ran; start it again")
        return loaded

    def _found(self, loaded: LoadedExperiment, task: Task) -> Any:
        from cosim.sweep.trial import kept, trial

        seed: int = task.identity["seed"]
        if self.job.keep:
            out = Path(self.job.out) / RUNS / task.identity["hash"]
            return kept(loaded, seed, self.job.backend, self.job.measure, out, self.say)
        return trial(loaded, seed, self.workshop, self.job.backend, self.job.measure, self.say)

    def _write(self, row: Row, seconds: Mapping[str, float]) -> None:
        out, name = Path(self.job.out), f"{row['run']}.json"
        try:
            write(out / TIMINGS / name, {"run": row["run"], "seconds": dict(seconds), **_here()}, durable=False)
            write(out / ROWS / name, row)
        except OSError as error:
            raise Stop(f"{out / ROWS / name}: cannot be written: {error.strerror or error}") from error


def _here() -> dict[str, Any]:
    return {"host": socket.gethostname(), "process": os.getpid()}
