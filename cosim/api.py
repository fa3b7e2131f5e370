"""The Python surface: load an experiment, change it, run it whole or step by step."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from cosim.errors import CosimError, SimulationError, UserError
from cosim.record import Recorder, Result, prepare_directory
from cosim.spec.load import LoadedExperiment, load_experiment

if TYPE_CHECKING:
    import networkx

    from cosim.bridge.lockstep import Lockstep
    from cosim.bridge.workshop import Workshop
    from cosim.checkpoint import Checkpoint
    from cosim.checkpoint.running import Checkpoints, Helping
    from cosim.mpi.world import World
    from cosim.record.memory import MemoryRecorder

F64 = NDArray[np.float64]
RESULTS = Path("results")


def load(name: str | Path, overrides: Mapping[str, Any] | None = None) -> Experiment:
    """Load an experiment by name or path. Raises UserError with every problem found in its documents."""
    return Experiment(name, dict(overrides or {}))


class Experiment:
    """An experiment that has been read and checked, but not built. Changing it makes a new one."""

    def __init__(self, name: str | Path, overrides: dict[str, Any], loaded: LoadedExperiment | None = None) -> None:
        self._name = name
        self.overrides = overrides
        self.loaded: LoadedExperiment = loaded or load_experiment(name, overrides)

    def set(self, overrides: Mapping[str, Any]) -> Experiment:
        """The same experiment with values changed, e.g. ``{"wires.motor.delay": "20 ms", "gain": 2}``."""
        return Experiment(self._name, {**self.overrides, **overrides})

    @property
    def spec(self) -> Any:
        """The experiment document, validated."""
        return self.loaded.spec

    def open(
        self,
        *,
        seed: int | None = None,
        out: Path | str | None = None,
        backend: str = "auto",
        force: bool = False,
        overlap: bool = True,
    ) -> Simulation:
        """Build network and body, ready to be stepped; records to `out` if given.

        `overlap` lets both advance at the same time where that changes nothing. Raises UserError for what does not fit
        together.
        """
        path = Path(out) if out is not None else None
        return Simulation(self, seed=seed, out=path, backend=backend, force=force, overlap=overlap)

    def run(
        self,
        *,
        seed: int | None = None,
        out: Path | str | None = None,
        backend: str = "auto",
        force: bool = False,
        overlap: bool = True,
        progress: Callable[[float], None] | None = None,
        say: Callable[[str], None] | None = None,
    ) -> Result:
        """Run to the end, record, measure; returns the result (``results/<name>`` unless `out` says otherwise).

        `progress` is called with the biological time in seconds after every tick, `say` with what a user should know.
        Raises SimulationError on a blow-up and passes on KeyboardInterrupt; in both cases the record is closed and can
        be read.
        """
        say = say or (lambda text: None)
        path = Path(out) if out is not None else RESULTS / self.loaded.spec.name
        with Simulation(
            self, seed=seed, out=path, backend=backend, force=force, overlap=overlap, say=say
        ) as simulation:
            simulation.progress = progress
            simulation.run()
        return simulation.result(path)

    def graph(self, *, seed: int | None = None) -> networkx.MultiDiGraph:
        """The network as a networkx graph, with lesions from the start (``cosim.graph.view``).

        Raises UserError for an experiment without a circuit.
        """
        from cosim.graph.build import build as build_network
        from cosim.graph.lesion import Lesions
        from cosim.graph.view import network_graph
        from cosim.spec.check import parts_of

        parts = parts_of(self.loaded)
        if parts.circuit is None:
            raise UserError("the experiment has no circuit")
        spec = self.loaded.spec
        network = build_network(
            parts.circuit, seed=spec.seed if seed is None else seed, dt=spec.dt, parameters=parts.circuit_parameters,
            folder=parts.circuit_folder, lesions=Lesions.of(spec.ablate),
        )  # fmt: skip
        return network_graph(network)

    def measured(self, path: Path) -> Result:
        """The result at `path`, with the measurements of the experiment taken and saved."""
        result = Result(path)
        chosen = self.loaded.spec.measure.chosen()
        if chosen:
            from cosim.analyse.measures import measure

            result.save_metrics(measure(result, chosen, self.loaded.spec.transient))
        return result


class Simulation:
    """An experiment in progress. Use as a context; ``step`` advances one tick, ``run`` goes to the end.

    With `resume` the record at `out` is taken up again at that checkpoint (``cosim.checkpoint.resume`` finds it).
    """

    def __init__(
        self,
        experiment: Experiment,
        *,
        seed: int | None,
        out: Path | None,
        backend: str,
        force: bool,
        overlap: bool = True,
        say: Callable[[str], None] | None = None,
        resume: Checkpoint | None = None,
    ) -> None:
        from cosim.mpi.world import world

        self.experiment = experiment
        self._world = world()
        loaded = experiment.loaded
        spec = loaded.spec
        self.seed = spec.seed if seed is None else seed
        self.progress: Callable[[float], None] | None = None
        self._status: tuple[str, str] | None = None
        begin = time.perf_counter()
        self.lockstep = self._build(backend, say)
        self.lockstep.overlap = overlap
        self.build_seconds = time.perf_counter() - begin
        self._ticks = self.lockstep.clock.ticks(spec.duration, "the duration of")
        self._recorder: Recorder | MemoryRecorder | None = None
        self._checkpoints: Checkpoints | Helping | None = None
        self._path = out
        if out is not None:
            try:
                self._open_record(out, force, resume)
            except BaseException:
                if self._checkpoints is not None:
                    self._checkpoints.close()
                self.lockstep.close()
                raise
        elif self.lockstep.body is not None:
            self.lockstep.body.request(self.lockstep.body.sensors)
        self._began = time.perf_counter()

    def _build(self, backend: str, say: Callable[[str], None] | None) -> Lockstep:
        return build(self.experiment.loaded, seed=self.seed, backend=backend, say=say, world=self._world)

    def _open_record(self, out: Path, force: bool, resume: Checkpoint | None) -> None:
        """The record and its checkpoints; ranks other than 0 only help with what is read from the network."""
        from cosim.analyse.reference import reference_of
        from cosim.bridge.recording import attach, watch
        from cosim.checkpoint.running import Checkpoints, Helping
        from cosim.manifest import describe

        spec = self.experiment.loaded.spec
        if self._world is not None and not self._world.root:
            if spec.checkpoint is not None:
                self._checkpoints = Helping(self)
            if resume is not None:
                self._checkpoints = Helping(self)
                self._checkpoints.take_up(resume)
            watch(spec, self.lockstep)
            return
        if resume is not None:
            self._checkpoints = Checkpoints(self, out)
            self._recorder = self._checkpoints.resume(resume)
        else:
            reference = reference_of(self.experiment.loaded)
            prepare_directory(out, force)
            if reference is not None:
                shutil.copyfile(reference, out / "reference.csv")
            self._recorder = attach(spec, self.lockstep, out, describe(self.experiment, self))
            if spec.checkpoint is not None:
                self._checkpoints = Checkpoints(self, out)
        if self._world is not None:
            self._world.alarm.emergency = self.close

    @property
    def wall(self) -> float:
        """Seconds that the run took so far, before an interruption too."""
        before = self._checkpoints.wall_before if self._checkpoints is not None else 0.0
        return before + time.perf_counter() - self._began

    @property
    def ticks(self) -> int:
        """Length of the experiment."""
        return self._ticks

    @property
    def time(self) -> float:
        """Biological time, s."""
        return self.lockstep.tick * self.lockstep.clock.tick

    @property
    def readings(self) -> dict[str, F64]:
        """The body's sensors by name: views that the next step overwrites."""
        return self.lockstep.body.readings if self.lockstep.body is not None else {}

    def step(self, ticks: int = 1) -> dict[str, F64]:
        """Advance by whole ticks; returns the readings. Raises SimulationError on a blow-up."""
        try:
            if self._checkpoints is None:
                self.lockstep.run(ticks)
            else:
                self._checkpoints.run(ticks)
        except SimulationError as error:
            self._status = ("failed", str(error))
            raise
        return self.readings

    def state(self, population: str, variable: str) -> F64:
        """A state variable of a population, shape (n,), SI: a live view. Raises UserError for unknown names."""
        network, backend = self.lockstep.network, self.lockstep.backend
        if network is None or backend is None or population not in network.populations:
            raise UserError(f"there is no population '{population}'")
        return backend.view(population, variable)

    def spikes(self) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Spikes of the last tick: network steps and global ids."""
        if self.lockstep.backend is None:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32)
        steps, ids = self.lockstep.backend.spikes()
        return steps.copy(), ids.copy()

    def run(self) -> None:
        """Go on to the end of the experiment's duration."""
        if self.progress is not None:
            progress, tick = self.progress, self.lockstep.clock.tick
            self.lockstep.on_progress = lambda k: progress(k * tick)
        self.step(self._ticks - self.lockstep.tick)
        self.lockstep.finish()
        self._status = ("complete", "")

    def result(self, path: Path) -> Result:
        """What was recorded at `path`, measured; ranks other than 0 wait for it. All ranks call this together."""
        if self._world is None:
            return self.experiment.measured(path)
        result = self.experiment.measured(path) if self._world.root else None
        self._world.comm.Barrier()
        return result or Result(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close(error)

    def close(self, error: BaseException | None = None) -> None:
        """Close the record (complete, failed or interrupted) and release network and body."""
        try:
            backend = self.lockstep.backend
            # ranks give their states together, and only where all of them have come to the end
            together = self._world is None or error is None and (self._status or ("complete",))[0] == "complete"
            state = backend.state() if backend is not None and together else None
            if self._recorder is not None:
                self._close_record(error, state)
        finally:
            self._recorder = None
            if self._checkpoints is not None:
                self._checkpoints.close()
            self.lockstep.close()

    def _close_record(self, error: BaseException | None, state: dict[str, F64] | None) -> None:
        assert self._recorder is not None
        status, message = self._status or ("interrupted", "closed before its end")
        if error is not None and self._world is not None:
            from cosim.mpi.ending import cause

            error = cause(self._world, error)
        if isinstance(error, KeyboardInterrupt):
            status, message = "interrupted", "interrupted by the user"
        elif error is not None:
            # a run that lost a rank may go on from its last checkpoint
            status = "interrupted" if getattr(error, "lost", False) else "failed"
            message = str(error) or type(error).__name__
        if self._status is None and error is None and self.lockstep.tick >= self._ticks:
            status, message = "complete", ""
        timings = {"build": self.build_seconds, **self.lockstep.timings.as_dict(self.wall, self.time)}
        if self._checkpoints is not None:
            timings["checkpoint"] = self._checkpoints.seconds
        facts: dict[str, Any] = {"timings": timings, "end": self.time}
        if message:
            facts["message"] = message
        self._recorder.close(
            status,  # type: ignore[arg-type]
            final_state=state,
            **facts,
        )


def build(
    loaded: LoadedExperiment,
    *,
    seed: int,
    backend: str = "auto",
    say: Callable[[str], None] | None = None,
    world: World | None = None,
    workshop: Workshop | None = None,
) -> Lockstep:
    """The lockstep of an experiment, shared among the ranks of `world`; a `workshop` keeps networks for the next one.

    Raises UserError with file and line for everything that does not fit.
    """
    from cosim.bridge.assemble import AssemblyError, assemble
    from cosim.bridge.workshop import construction
    from cosim.neural.choose import choose
    from cosim.spec.check import check_deep, parts_of
    from cosim.spec.common import Located

    make = choose(backend, say if loaded.circuit is not None else None, world)
    parts = parts_of(loaded)
    try:
        if workshop is None:
            lockstep = assemble(parts, seed=seed, backend=make)
        else:
            lockstep = workshop.assemble(parts, construction(loaded), seed=seed, backend=make)
    except AssemblyError as error:
        raise UserError(loaded.problems(error.problems)) from None
    except Located as error:
        raise UserError([loaded.problem("circuit", path, message) for path, message in error.problems]) from None
    except _refusals() as error:
        # Brian2 refused the circuit: find out where in the document
        found = check_deep(loaded)
        if found:
            raise UserError(loaded.problems(found)) from None
        raise CosimError(f"Brian2 cannot build the network: {error}") from error
    if world is not None:
        from cosim.mpi.share import share

        share(lockstep, world)
    return lockstep


def _refusals() -> tuple[type[Exception], ...]:
    """What a backend raises where Brian2 refuses a circuit; its own errors can only come if it was imported."""
    from cosim.neural.cache import GenerationError

    found = (SyntaxError, TypeError, ValueError, NotImplementedError, GenerationError)
    brian = sys.modules.get("brian2.core.base")
    return found if brian is None else (*found, brian.BrianObjectException)
