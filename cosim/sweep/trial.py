"""One run of a sweep: nothing is recorded but what its metrics need, and that in memory."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from cosim.analyse.measures import measure
from cosim.analyse.needs import owners, reduced, spiking
from cosim.analyse.tables import flat
from cosim.api import Experiment, Simulation, build
from cosim.bridge.lockstep import Lockstep
from cosim.bridge.recording import attach_memory
from cosim.bridge.workshop import Workshop
from cosim.manifest import describe
from cosim.record.memory import MemoryRecorder
from cosim.record.result import Result
from cosim.spec.experiment import ExperimentSpec
from cosim.spec.load import LoadedExperiment

#: metrics and hashes of a run, and the seconds that its parts took
Found = tuple[dict[str, float | None], dict[str, str], dict[str, float]]


class Trial(Simulation):
    """An experiment in progress whose record is in memory, reduced to what `wanted` metrics need (empty: all that it
    measures)."""

    def __init__(
        self, loaded: LoadedExperiment, seed: int, workshop: Workshop, backend: str, wanted: list[str],
        say: Callable[[str], None] | None = None,
    ) -> None:  # fmt: skip
        self._workshop = workshop
        super().__init__(
            Experiment(loaded.spec.name, {}, loaded), seed=seed, out=None, backend=backend, force=False, overlap=False,
            say=say,
        )  # fmt: skip
        network, body = self.lockstep.network, self.lockstep.body
        spec = loaded.spec
        self.wanted = wanted or list(owners(spec.measure.chosen(), spiking(spec, network)))
        self.reduced = reduced(spec, network, body.sensors if body is not None else (), self.wanted)
        self._memory = self._record()

    def _build(self, backend: str, say: Callable[[str], None] | None) -> Lockstep:
        return build(
            self.experiment.loaded, seed=self.seed, backend=backend, say=say, world=self._world, workshop=self._workshop
        )  # fmt: skip

    def _record(self) -> MemoryRecorder | None:
        """The record; ranks other than 0 only help with what is read from the network."""
        if self._world is not None and not self._world.root:
            from cosim.bridge.recording import watch

            watch(self.reduced, self.lockstep)
            return None
        self._recorder = found = attach_memory(self.reduced, self.lockstep, describe(self.experiment, self))
        return found

    def measured(self) -> Result | None:
        """What was recorded, once the trial is closed; None on ranks other than 0."""
        return self._memory.result() if self._memory is not None else None


def trial(
    loaded: LoadedExperiment, seed: int, workshop: Workshop, backend: str, wanted: list[str],
    say: Callable[[str], None] | None = None,
) -> Found | None:  # fmt: skip
    """Run and measure. Raises UserError for what does not fit together, SimulationError for a blow-up.

    Returns None on ranks other than 0.
    """
    with Trial(loaded, seed, workshop, backend, wanted, say) as running:
        running.run()
    result = running.measured()
    return None if result is None else _found(result, running.reduced, running.wanted)


def kept(
    loaded: LoadedExperiment, seed: int, backend: str, wanted: list[str], out: Path,
    say: Callable[[str], None] | None = None,
) -> Found | None:  # fmt: skip
    """The same with the whole record kept at `out`."""
    spec = loaded.spec.model_copy(update={"checkpoint": None})
    loaded = replace(loaded, experiment=replace(loaded.experiment, spec=spec))
    result = Experiment(spec.name, {}, loaded).run(
        seed=seed, out=out, backend=backend, force=True, overlap=False, say=say
    )  # fmt: skip
    return None if result is None else _found(result, spec, wanted)


def _found(result: Result, spec: ExperimentSpec, wanted: list[str]) -> Found:
    begin = time.perf_counter()
    metrics = measure(result, spec.measure.chosen(), spec.transient)
    timings = {**result.manifest["timings"], "measure": time.perf_counter() - begin}
    named: dict[str, Any] = {name: metrics[name] for name in wanted or metrics}
    numbers = {name: value if value == value else None for name, value in flat(named).items()}
    return numbers, dict(result.manifest["hashes"]), timings
