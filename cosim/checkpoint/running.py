"""A run that takes checkpoints, and one that goes on from a checkpoint."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.bridge.lockstep import Lockstep, Timings
from cosim.bridge.recording import attach
from cosim.checkpoint.file import Checkpoint
from cosim.checkpoint.keep import Keeper
from cosim.checkpoint.match import check
from cosim.checkpoint.state import give, pass_through, take
from cosim.errors import UserError
from cosim.manifest import versions
from cosim.record import Recorder, read_manifest

if TYPE_CHECKING:
    from cosim.api import Simulation

#: entries of a manifest that say how a run ended
_ENDED = ("ended", "end", "hashes", "ticks", "timings", "message", "metrics")


class Checkpoints:
    """Takes the checkpoints of a simulation whose record is at `out`: before the first tick, and every so many ticks.

    `seconds` is what they cost, `wall_before` the wall time until the checkpoint that the run went on from. Raises
    UserError if the run still goes on in another process.
    """

    def __init__(self, simulation: Simulation, out: Path) -> None:
        spec = simulation.experiment.loaded.spec.checkpoint
        if spec is None:
            raise UserError(f"{out}: the experiment takes no checkpoints")
        self._simulation = simulation
        self._lockstep = simulation.lockstep
        self._out = out
        self._every = self._lockstep.clock.ticks(spec.every, "the time between checkpoints,")
        self._keeper = Keeper(out)
        self._last = -1
        self._versions = versions()
        self.seconds = 0.0
        self.wall_before = 0.0

    def _facts(self) -> dict[str, Any]:
        """What a checkpoint must have in common with the run."""
        backend = self._lockstep.backend
        return {
            "content_hash": self._simulation.experiment.loaded.content_hash,
            "connectomes": self._lockstep.network.connectomes if self._lockstep.network is not None else {},
            "seed": self._simulation.seed,
            "backend": backend.name if backend is not None else None,
            "versions": self._versions,
        }

    def run(self, ticks: int) -> None:
        """Advance the lockstep, with checkpoints on the way. Raises SimulationError, and CosimError if one cannot be
        written."""
        advance(self._lockstep, ticks, self._every, self._last, self.save)

    def save(self) -> None:
        """Take a checkpoint now, between two ticks."""
        begin = time.perf_counter()
        arrays = take(self._lockstep)
        meta = {
            **self._facts(),
            "tick": self._lockstep.tick,
            "time": self._simulation.time,
            "timings": {**asdict(self._lockstep.timings), "checkpoint": self.seconds},
            "wall": self._simulation.wall,
            "build": self._simulation.build_seconds,
        }
        recorder = self._lockstep.recorder
        assert isinstance(recorder, Recorder)  # checkpoints go with a record
        # written behind the run's back, once the record is in the store up to here
        recorder.defer(partial(self._keeper.save, meta, arrays))
        pass_through(self._lockstep, arrays)
        self._last = self._lockstep.tick
        self.seconds += time.perf_counter() - begin

    def resume(self, checkpoint: Checkpoint) -> Recorder:
        """Bring the simulation, just built, to a checkpoint; returns the record, open.

        Raises UserError for a checkpoint of another run or other software.
        """
        meta, lockstep = checkpoint.meta, self._lockstep
        check(checkpoint.path, meta, self._facts())
        give(lockstep, checkpoint.arrays, checkpoint.tick)
        timings = dict(meta["timings"])
        self.seconds = timings.pop("checkpoint")
        lockstep.timings = Timings(**timings)
        self.wall_before = meta["wall"]
        self._simulation.build_seconds += meta["build"]
        self._last = checkpoint.tick
        manifest = {key: value for key, value in read_manifest(self._out).items() if key not in _ENDED}
        now = datetime.now(UTC).isoformat(timespec="seconds")
        resumed = [*manifest.get("resumed", []), {"time": self._simulation.time, "at": now}]
        spec = self._simulation.experiment.loaded.spec
        recorder = attach(spec, lockstep, self._out, {**manifest, "resumed": resumed}, resume=checkpoint.part("record"))
        self._keeper.drop_after(checkpoint.tick)
        return recorder

    def close(self) -> None:
        """Let another process go on with the run."""
        self._keeper.close()


class Helping:
    """The part that ranks without the record have in the checkpoints of a run: their share of the network."""

    seconds = wall_before = 0.0

    def __init__(self, simulation: Simulation) -> None:
        spec = simulation.experiment.loaded.spec.checkpoint
        assert spec is not None  # or rank 0 has refused
        self._lockstep = simulation.lockstep
        self._every = self._lockstep.clock.ticks(spec.every, "the time between checkpoints,")
        self._last = -1

    def run(self, ticks: int) -> None:
        """As Checkpoints.run, at the same ticks."""
        advance(self._lockstep, ticks, self._every, self._last, self.save)

    def save(self) -> None:
        """Give rank 0 this rank's share."""
        assert self._lockstep.backend is not None
        self._lockstep.backend.snapshot()
        self._last = self._lockstep.tick

    def take_up(self, checkpoint: Checkpoint) -> None:
        """Go on from a checkpoint that rank 0 has read; its arrays are those of the wires."""
        give(self._lockstep, checkpoint.arrays, checkpoint.tick)
        self._last = checkpoint.tick

    def close(self) -> None:
        """Nothing to give up."""


def advance(lockstep: Lockstep, ticks: int, every: int, last: int, save: Callable[[], None]) -> None:
    """Advance a lockstep, and call `save` every so many ticks, but not at the tick `last`, where it was called."""
    end = lockstep.tick + ticks
    while lockstep.tick < end:
        if lockstep.tick % every == 0 and lockstep.tick > last:
            save()
        lockstep.run(min(end, (lockstep.tick // every + 1) * every) - lockstep.tick)
