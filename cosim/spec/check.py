"""What does not fit between the documents of an experiment: found by putting it together without an engine for the
network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cosim.spec.common import Located

if TYPE_CHECKING:
    from cosim.bridge.assemble import Parts
    from cosim.spec.load import LoadedExperiment

Trouble = tuple[str, tuple[str | int, ...], str]


def parts_of(loaded: LoadedExperiment) -> Parts:
    """The specs, parameters and folders that the bridge needs."""
    from cosim.bridge.assemble import Parts

    circuit = loaded.circuit_document
    return Parts(
        loaded.spec,
        loaded.circuit,
        loaded.body,
        loaded.experiment.parameters,
        circuit.parameters if circuit is not None else {},
        loaded.experiment.folder,
        circuit.folder if circuit is not None else loaded.experiment.folder,
    )


def check_experiment(loaded: LoadedExperiment) -> list[Trouble]:
    """Equations, wires, drives, lesions and records against what circuit and body have.

    Returns (kind of document, path in it, message) for every problem; raises UserError for unusable data files.
    """
    from cosim.bridge.assemble import AssemblyError, assemble
    from cosim.bridge.recording import check_record
    from cosim.neural.plan import PlanBackend

    if loaded.circuit is not None:
        from cosim.neural.check import check_models

        found = check_models(loaded.circuit)
        if found:
            return [("circuit", path, message) for path, message in found]
    try:
        lockstep = assemble(parts_of(loaded), seed=loaded.spec.seed, backend=PlanBackend)
    except AssemblyError as error:
        return error.problems
    try:
        return [("experiment", path, message) for path, message in check_record(loaded.spec, lockstep)]
    finally:
        lockstep.close()


def check_deep(loaded: LoadedExperiment) -> list[Trouble]:
    """Units and generated code of every model and projection, and the edges themselves: seconds instead of
    milliseconds."""
    from cosim.graph.build import build
    from cosim.graph.ir import ContinuousIR, ProjectionIR
    from cosim.neural.trial import check_network

    circuit = loaded.circuit_document
    if circuit is None or loaded.circuit is None:
        return []
    spec = loaded.spec
    try:
        network = build(
            loaded.circuit, seed=spec.seed, dt=spec.dt, parameters=circuit.parameters, folder=circuit.folder
        )
        found = check_network(loaded.circuit, network)
        if not found:
            joined: list[ProjectionIR | ContinuousIR] = [*network.projections.values(), *network.continuous.values()]
            for projection in joined:
                projection.edges(0, network.populations[projection.target].n)
    except Located as error:
        found = error.problems
    return [("circuit", path, message) for path, message in found]
