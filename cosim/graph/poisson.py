"""Poisson drives of an experiment as a part of the network: sources of their own, each onto one neuron."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cosim.graph.connect import neuron_scope
from cosim.graph.ir import Edges, NetworkIR, Parameter, PopulationIR, ProjectionIR, Rule
from cosim.graph.lesion import select
from cosim.neural.equations import variable_units
from cosim.spec.circuit import BUILTIN_MODELS
from cosim.spec.common import Located
from cosim.spec.experiment import DriveSpec, PoissonSpec
from cosim.spec.units import Dim, Scope, UnitError, array, suggest

F64 = NDArray[np.float64]
HERTZ: Dim = (0, 0, -1, 0, 0, 0, 0)
MODEL = "poisson_source"


def with_poisson(network: NetworkIR, drives: Mapping[str, DriveSpec], parameters: Scope) -> NetworkIR:
    """The network with a population per Poisson drive, of its name, after all others, and its projections.

    A drive's sources are in the order of its targets. Raises Located (paths within `drives`).
    """
    problems: list[tuple[tuple[str | int, ...], str]] = []
    for name, drive in drives.items():
        if drive.poisson is not None:
            try:
                network = _with(network, name, drive, drive.poisson, parameters)
            except Located as error:
                problems += [((name, *path), message) for path, message in error.problems]
    if problems:
        raise Located(problems)
    return network


def _with(network: NetworkIR, name: str, drive: DriveSpec, poisson: PoissonSpec, parameters: Scope) -> NetworkIR:
    if name in network.populations or name in network.projections or name in network.continuous:
        raise Located([((), f"a Poisson drive needs a name of its own: the circuit has a '{name}'")])
    model = BUILTIN_MODELS[MODEL]
    if network.models.get(MODEL, model) is not model:
        raise Located([((), f"the circuit has a model '{MODEL}' of its own, and Poisson drives need the built-in one")])
    try:
        chosen = select(network, drive.to)
    except UnitError as error:
        raise Located([(("to",), str(error))]) from None
    rates: list[F64] = []
    projections = dict(network.projections)
    first = 0
    for target, ids in chosen.items():
        population = network.populations[target]
        units = variable_units(network.models[population.model])
        if drive.variable not in units:
            hint = suggest(drive.variable, units)
            raise Located([(("variable",), f"the model of population '{target}' has no '{drive.variable}'{hint}")])
        scope = {**parameters, **neuron_scope(population, ids)}
        rates.append(_values(poisson, "rate", scope, len(ids), HERTZ))
        if (rates[-1] < 0).any():
            raise Located([(("poisson", "rate"), "a rate must not be negative")])
        dim = units[drive.variable]
        edges = _onto(ids, first, _values(poisson, "weight", scope, len(ids), dim), _steps(poisson, network.dt))
        # a population has one projection, several are told apart by their target
        own = name if len(chosen) == 1 else f"{name}_{target}"
        rule = Rule(f"{drive.variable} += w", parameters=(("w", dim),))
        projections[own] = ProjectionIR(own, name, target, rule, edges)
        first += len(ids)
    sources = _sources(name, network.n, np.concatenate(rates))
    return replace(
        network,
        models={**network.models, MODEL: model},
        populations={**network.populations, name: sources},
        projections=projections,
    )


def _values(poisson: PoissonSpec, key: str, scope: Scope, n: int, dim: Dim) -> F64:
    try:
        return array(getattr(poisson, key), scope, n, dim)
    except UnitError as error:
        raise Located([(("poisson", key), str(error))]) from None


def _steps(poisson: PoissonSpec, dt: float) -> int:
    return 1 if poisson.delay is None else round(poisson.delay / dt)


def _onto(ids: NDArray[np.int64], first: int, weight: F64, delay: int) -> Callable[[int, int], Edges]:
    """Source `first` + k onto neuron ids[k] (ascending), by range of targets."""

    def edges(lo: int, hi: int) -> Edges:
        a, b = np.searchsorted(ids, (lo, hi))
        pre, post = np.arange(first + a, first + b, dtype=np.int32), ids[a:b].astype(np.int32)
        return Edges(pre, post, np.full(b - a, delay, dtype=np.int32), {"w": weight[a:b]})

    return edges


def _sources(name: str, first: int, rate: F64) -> PopulationIR:
    n = len(rate)
    nowhere = np.zeros(n)
    return PopulationIR(
        name, MODEL, first, n, (), (), (), np.zeros(n, dtype=np.int8), np.zeros(n, dtype=np.int32),
        np.zeros(n, dtype=np.int16), nowhere, nowhere, nowhere, {}, {"rate": Parameter(rate, HERTZ, False)}, {},
        frozenset({"rate"}),
    )  # fmt: skip
