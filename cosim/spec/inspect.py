"""Everything that can be said against a document before it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cosim.errors import UserError
from cosim.spec.body import BodySpec, WorldSpec
from cosim.spec.circuit import CircuitSpec
from cosim.spec.common import Located
from cosim.spec.connectome import ConnectomeSpec
from cosim.spec.load import Document, load_document, load_experiment, locate
from cosim.spec.yamlmarks import Path_

#: for a circuit or body on its own; an experiment brings its own steps
STEP = 1e-3
NETWORK_STEP = 1e-4


def inspect(name: str | Path, given: Mapping[str, Any] | None = None) -> list[str]:
    """Load a document and try all of it without running: equations, units, generated code, edges, tables, the body.

    Returns what could not be tried. Raises UserError with every problem found.
    """
    kind = kind_of(locate(name))
    if kind == "sweep":
        return _sweep(name, given)
    if kind == "experiment":
        from cosim.analyse.reference import reference_of
        from cosim.spec.check import check_deep

        loaded = load_experiment(locate(name), given)
        found = loaded.problems(check_deep(loaded))
        if found:
            raise UserError(found)
        reference_of(loaded)
        return []
    document = load_document(locate(name), kind, given)
    if isinstance(document.spec, CircuitSpec):
        _circuit(document, document.spec)
    elif isinstance(document.spec, BodySpec):
        from cosim.body import build

        build(document.spec, WorldSpec(), STEP, 1).close()
    elif isinstance(document.spec, ConnectomeSpec):
        return _connectome(document)
    return []


def _sweep(name: str | Path, given: Mapping[str, Any] | None) -> list[str]:
    """Every value and every lesion on the experiment; how many runs it is."""
    from cosim.sweep.check import check
    from cosim.sweep.load import load_sweep

    sweep = load_sweep(name, given)
    check(sweep)
    return [f"{sweep.size} runs: {len(sweep.points)} points x {len(sweep.arms)} arms x {len(sweep.seeds)} seeds"]


def _connectome(document: Document) -> list[str]:
    """Read the tables, where they are on this machine."""
    from cosim.connectome.store import absent, load_connectome

    missing = absent(document)
    if missing:
        return [f"{document.name}: its tables are not on this machine and were not read ({', '.join(missing)})"]
    load_connectome(document.path)
    return []


def kind_of(path: Path) -> str:
    """What a file says it is. Raises UserError."""
    from cosim.spec import yamlmarks
    from cosim.spec.inherit import shown
    from cosim.spec.kinds import check_header

    root, _ = yamlmarks.read(path, shown(path))
    return check_header(root, None)[0]


def _circuit(document: Document, spec: CircuitSpec) -> None:
    from cosim.graph.build import build
    from cosim.neural.check import check_models
    from cosim.neural.trial import check_network

    found: list[tuple[Path_, str]] = list(check_models(spec))
    if not found:
        try:
            network = build(spec, seed=0, dt=NETWORK_STEP, parameters=document.parameters, folder=document.folder)
            found = list(check_network(spec, network))
            if not found:
                for projection in network.projections.values():
                    projection.edges(0, network.populations[projection.target].n)
                for graded in network.continuous.values():
                    graded.edges(0, network.populations[graded.target].n)
        except Located as error:
            found = error.problems
    if found:
        raise UserError([document.problem(path, message) for path, message in found])
