"""From documents to a lockstep ready to run; every mistake in the wiring is found here, all of them at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cosim.body import build as build_body
from cosim.body.ports import BodyLike
from cosim.bridge.clock import Clock
from cosim.bridge.commands import Commands, CurveCommands
from cosim.bridge.inputs import Inputs
from cosim.bridge.lockstep import Lockstep
from cosim.bridge.outgoing import Outgoing
from cosim.bridge.schedule import Schedule, schedule_ablations, schedule_perturbations
from cosim.bridge.steps import StepWire
from cosim.bridge.wires import MotorWire, SensoryWire
from cosim.errors import UserError
from cosim.graph.build import build as build_network
from cosim.graph.ir import NetworkIR
from cosim.graph.lesion import Lesions
from cosim.graph.poisson import with_poisson
from cosim.neural.backend import NeuralBackend
from cosim.replay.command import KinematicsCommand, posed
from cosim.spec.body import BodySpec
from cosim.spec.circuit import CircuitSpec
from cosim.spec.common import Located
from cosim.spec.experiment import ExperimentSpec
from cosim.spec.units import Scope, UnitError

Place = tuple[str, tuple[str | int, ...], str]


class AssemblyError(Exception):
    """Problems found while putting an experiment together: (document kind, path in it, message)."""

    def __init__(self, problems: list[Place]) -> None:
        self.problems = problems
        super().__init__("; ".join(message for _, _, message in problems))


@dataclass(frozen=True)
class Parts:
    """What an experiment consists of, after loading: specs, evaluated parameters, folders that hold their files."""

    experiment: ExperimentSpec
    circuit: CircuitSpec | None
    body: BodySpec | None
    experiment_parameters: Scope
    circuit_parameters: Scope
    experiment_folder: Path
    circuit_folder: Path


BackendFactory = Callable[[NetworkIR, int], NeuralBackend]
NetworkFactory = Callable[[Parts, int], NetworkIR]


@dataclass
class _Collector:
    problems: list[Place] = field(default_factory=list)

    def add(self, kind: str, path: tuple[str | int, ...], error: Located | UnitError) -> None:
        if isinstance(error, Located):
            self.problems += [(kind, (*path, *inner), message) for inner, message in error.problems]
        else:
            self.problems.append((kind, path, str(error)))


def network_of(parts: Parts, seed: int) -> NetworkIR:
    """The network of an experiment that has a circuit, with its Poisson drives and without what lesions took from the
    start. Raises AssemblyError."""
    spec, found = parts.experiment, _Collector()
    assert parts.circuit is not None
    kind: str = "circuit"
    path: tuple[str | int, ...] = ()
    try:
        network = build_network(
            parts.circuit, seed=seed, dt=Clock.of(spec.tick, spec.dt, spec.body_dt).dt,
            parameters=parts.circuit_parameters, folder=parts.circuit_folder, lesions=Lesions.of(spec.ablate),
        )  # fmt: skip
        kind, path = "experiment", ("drives",)
        return with_poisson(network, spec.drives, parts.experiment_parameters)
    except Located as error:
        found.add(kind, path, error)
        raise AssemblyError(found.problems) from None


def assemble(
    parts: Parts, *, seed: int, backend: BackendFactory, network_of: NetworkFactory = network_of
) -> Lockstep:  # fmt: skip
    """Build network, body and wires. Raises AssemblyError with every problem, UserError for unusable data files."""
    spec = parts.experiment
    found = _Collector()
    clock = Clock.of(spec.tick, spec.dt, spec.body_dt)
    body: BodyLike | None = None
    if parts.body is not None:
        start = posed(parts.body, spec, parts.experiment_folder)
        body = build_body(start, spec.world, clock.body_dt, clock.substeps)
    network = None
    running: NeuralBackend | None = None
    try:
        if parts.circuit is not None:
            network = network_of(parts, seed)
            try:
                running = backend(network, clock.steps)
            except Located as error:
                found.add("circuit", (), error)
                raise AssemblyError(found.problems) from None
        lockstep = _wire(parts, clock, network, running, body, found)
    except BaseException:
        if body is not None:
            body.close()
        raise
    if found.problems:
        lockstep.close()
        raise AssemblyError(found.problems)
    return lockstep


def _wire(
    parts: Parts, clock: Clock, network: NetworkIR | None, running: NeuralBackend | None, body: BodyLike | None,
    found: _Collector,
) -> Lockstep:  # fmt: skip
    spec, scope = parts.experiment, parts.experiment_parameters
    schedule, pushes = Schedule(), Schedule()
    inputs = None
    sensory: dict[str, SensoryWire] = {}
    motor: dict[str, Outgoing] = {}
    commands: list[Commands] = []
    if network is not None and running is not None:
        inputs = Inputs(network, running)
        for name, drive in spec.drives.items():
            if drive.poisson is not None:
                continue  # part of the network
            try:
                inputs.add_drive(drive, clock, scope, parts.experiment_folder)
            except Located as error:
                found.add("experiment", ("drives", name), error)
    if body is not None:
        for name, command in spec.commands.items():
            try:
                if command.kinematics is not None:
                    commands.append(
                        KinematicsCommand(name, command, body, clock, parts.experiment_folder, spec.duration)
                    )
                else:
                    commands.append(CurveCommands(command, body, clock, parts.experiment_folder, scope))
            except Located as error:
                found.add("experiment", ("commands", name), error)
        for path, message in schedule_perturbations(pushes, spec, body, clock, scope):
            found.problems.append(("experiment", path, message))
    if network is not None and running is not None and body is not None and inputs is not None:
        for name, wire in spec.wires.items():
            try:
                if wire.sensory:
                    sensory[name] = SensoryWire(name, wire, network, inputs, body, clock, scope)
                elif wire.trajectory is not None:
                    folder = parts.experiment_folder
                    motor[name] = StepWire(name, wire, network, running, body, clock, scope, folder)
                else:
                    motor[name] = MotorWire(name, wire, network, running, body, clock, scope)
            except (Located, UnitError) as error:
                found.add("experiment", ("wires", name), error)
            except UserError as error:
                found.problems += [("experiment", ("wires", name), p.message) for p in error.problems]
    if network is not None and running is not None and parts.circuit is not None and not found.problems:
        projections = {*parts.circuit.projections, *parts.circuit.continuous}
        for path, message in schedule_ablations(
            schedule, spec, network, running, clock, sensory, motor, projections
        ):  # fmt: skip
            found.problems.append(("experiment", path, message))
    return Lockstep(
        clock, network, running, body, inputs, list(sensory.values()), list(motor.values()), commands, schedule, pushes
    )  # fmt: skip
