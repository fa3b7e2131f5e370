"""Circuit document -> NetworkIR."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from cosim.graph.connect import neuron_scope, pair_scope
from cosim.graph.ir import ContinuousIR, Edges, NetworkIR, Parameter, PopulationIR, ProjectionIR, Rule
from cosim.graph.lesion import Lesions
from cosim.graph.place import places
from cosim.graph.random import stream
from cosim.graph.source import EdgeSource, edge_source
from cosim.graph.values import blocks, dimension, is_constant, names_in, realise
from cosim.spec.circuit import (
    BUILTIN_MODELS,
    AxisSpec,
    CircuitSpec,
    ContinuousSpec,
    Draw,
    ModelSpec,
    PopulationSpec,
    ProjectionSpec,
    SynapseSpec,
)
from cosim.spec.common import Located
from cosim.spec.units import Dim, Expression, Scope, UnitError, Value

TIME: Dim = (0, 0, 1, 0, 0, 0, 0)
Path_ = tuple[str | int, ...]


def build(
    circuit: CircuitSpec, *, seed: int, dt: float, parameters: Scope, folder: Path, lesions: Lesions | None = None
) -> NetworkIR:
    """Lay out the populations and prepare the projections of a circuit.

    `parameters` are the document's evaluated parameters, `folder` is where its tables are looked for, `dt` [s] the
    network step. Raises Located (paths in the circuit document) for values that have no meaning.
    """
    models = {**BUILTIN_MODELS, **circuit.models}
    populations: dict[str, PopulationIR] = {}
    problems: list[tuple[Path_, str]] = []
    first = 0
    for name, spec in circuit.populations.items():
        try:
            population = _population(name, spec, models[spec.model], circuit.axis, seed, parameters, first, folder)
        except Located as error:
            problems += [(("populations", name, *path), message) for path, message in error.problems]
            continue
        populations[name] = population
        first += population.n
    if problems:
        raise Located(problems)
    lesions = lesions or Lesions()
    projections = {
        name: _projection(name, spec, circuit, populations, seed, dt, parameters, folder, lesions)
        for name, spec in circuit.projections.items()
    }
    continuous = {
        name: _continuous(name, gap, populations, seed, parameters, folder, lesions)
        for name, gap in circuit.continuous.items()
    }
    used = {p.model: models[p.model] for p in populations.values()}
    return NetworkIR(circuit.name, seed, dt, used, populations, projections, continuous)


def _population(
    name: str, spec: PopulationSpec, model: ModelSpec, axis: AxisSpec | None, seed: int, parameters: Scope, first: int,
    folder: Path,
) -> PopulationIR:  # fmt: skip
    at = places(spec, axis, parameters, folder)
    bare = PopulationIR(
        name, spec.model, first, at.n, tuple(spec.tags), tuple(spec.sides or ()), tuple(spec.pools or ()), at.side,
        at.segment, at.pool, at.y, at.start, at.end, at.coordinates, {}, {}, frozenset(spec.parameters), at.columns,
        at.cells,
    )  # fmt: skip
    scope = {**parameters, **neuron_scope(bare, slice(None))}
    problems: list[tuple[Path_, str]] = []
    bare.parameters.update(_values(bare, spec, model, "parameters", scope, parameters, seed, problems))
    initial = _values(bare, spec, model, "initial", scope, parameters, seed, problems)
    bare.initial.update({key: parameter.values for key, parameter in initial.items()})
    if problems:
        raise Located(problems)
    return bare


def _values(
    population: PopulationIR, spec: PopulationSpec, model: ModelSpec, group: str, scope: Scope, parameters: Scope,
    seed: int, problems: list[tuple[Path_, str]],
) -> dict[str, Parameter]:  # fmt: skip
    given: dict[str, Draw | Expression] = {**getattr(model, group), **getattr(spec, group)}
    found: dict[str, Parameter] = {}
    # a value may use the parameters before it, e.g. `dw1: 3 pA` and then `w1: {uniform: [0 pA, 2*dw1]}`
    scope = {**scope, **{k: Value(p.values, p.dim) for k, p in population.parameters.items()}}
    for key, value in given.items():
        try:
            dim = dimension(value, scope)
            stream_key = stream(seed, f"population/{population.name}/{key}")
            array = realise(value, scope, population.n, dim, stream_key, np.arange(population.n))
        except UnitError as error:
            problems.append(((group, key), str(error)))
            continue
        found[key] = Parameter(array, dim, is_constant(value, parameters))
        if group == "parameters":
            scope[key] = Value(array, dim)
    return found


def _is_weight(name: str) -> bool:
    return name == "w" or name.startswith("w_")


def _edge_source(
    path: Path_, spec: ProjectionSpec | ContinuousSpec, source: PopulationIR, target: PopulationIR, seed: int,
    scope: Scope, folder: Path,
) -> EdgeSource:  # fmt: skip
    try:
        return edge_source(str(path[-1]), spec, source, target, seed, scope, folder)
    except Located as error:
        raise Located([((*path, "connect", *inner), message) for inner, message in error.problems]) from None


def _edge_builder(
    name: str, spec: ProjectionSpec | ContinuousSpec, values: dict[str, Draw | Expression], dims: dict[str, Dim],
    delay: Draw | float, source: PopulationIR, target: PopulationIR, seed: int, dt: float, scope: Scope,
    found: EdgeSource, lesions: Lesions,
) -> Callable[[int, int], Edges]:  # fmt: skip
    over = spec.connect.kernel.over if spec.connect.kernel is not None else "y"
    randoms = {key: stream(seed, f"projection/{name}/{key}") for key in (*values, "delay")}
    drawn = [*values.values(), *([delay] if isinstance(delay, Draw) else [])]
    names = frozenset().union(*(names_in(value) for value in drawn))

    def edges(lo: int, hi: int) -> Edges:
        if name in lesions.cut:
            nothing = np.empty(0, dtype=np.int32)
            return Edges(nothing, nothing, nothing, {key: np.empty(0) for key in values})
        pre, post, columns = found.rows(lo, hi)
        keep = lesions.keep(source, target, pre, post)
        if keep is not None:
            pre, post = pre[keep], post[keep]
            columns = {k: Value(v.value[keep], v.dim) for k, v in columns.items()}
        # in parts, so that what belongs to edges is in memory once for all of them and stays in the cache meanwhile
        arrays = {key: np.empty(len(pre)) for key in values}
        steps = np.empty(len(pre), dtype=np.int32)
        for part in blocks(len(pre)):
            ends = pre[part], post[part]
            here = {**scope, **pair_scope(source, target, *ends, over, names)}
            here |= {k: Value(v.value[part], v.dim) for k, v in columns.items()}
            for key, value in values.items():
                array = realise(value, here, len(ends[0]), dims[key], randoms[key], ends[1], ends[0])
                arrays[key][part] = array * spec.gain if _is_weight(key) else array
            if isinstance(delay, Draw):
                seconds = realise(delay, here, len(ends[0]), TIME, randoms["delay"], ends[1], ends[0])
            else:
                seconds = here["delay"].value if "delay" in columns else np.array(delay)
            steps[part] = np.rint(np.maximum(seconds, 0.0) / dt)
        return Edges(pre.astype(np.int32), post.astype(np.int32), steps, arrays)

    return edges


def _projection(
    name: str, spec: ProjectionSpec, circuit: CircuitSpec, populations: dict[str, PopulationIR], seed: int, dt: float,
    scope: Scope, folder: Path, lesions: Lesions,
) -> ProjectionIR:  # fmt: skip
    synapse: SynapseSpec | ProjectionSpec = circuit.synapses[spec.synapse] if spec.synapse is not None else spec
    assert synapse.on_spike is not None
    values: dict[str, Draw | Expression] = {**synapse.parameters, **spec.parameters}
    source, target = populations[spec.source], populations[spec.to]
    found = _edge_source(("projections", name), spec, source, target, seed, scope, folder)
    if spec.connect.table is not None:
        for column in found.columns:
            if column != "delay":
                values.setdefault(column, Expression(column))
    if spec.gain != 1.0 and not any(_is_weight(k) for k in values):
        raise Located(
            [(("projections", name, "gain"), "gain multiplies parameters named w or w_..., and there is none")]
        )
    dims = _dims(("projections", name), values, {**_pair_names(populations, spec, found), **scope})
    rule = Rule(
        synapse.on_spike, synapse.on_post, synapse.equations, synapse.method, tuple(sorted(dims.items())),
        lesioned=name in lesions.cut_later or lesions.transect_later,
    )  # fmt: skip
    edges = _edge_builder(name, spec, values, dims, spec.delay, source, target, seed, dt, scope, found, lesions)
    initial = {k: float(np.asarray(v.evaluate(scope).value)) for k, v in {**synapse.initial, **spec.initial}.items()
               if isinstance(v, Expression)}  # fmt: skip
    return ProjectionIR(name, spec.source, spec.to, rule, _located(edges, ("projections", name)), initial)


def _continuous(
    name: str, spec: ContinuousSpec, populations: dict[str, PopulationIR], seed: int, scope: Scope, folder: Path,
    lesions: Lesions,
) -> ContinuousIR:  # fmt: skip
    values: dict[str, Draw | Expression] = dict(spec.parameters)
    source, target = populations[spec.source], populations[spec.to]
    found = _edge_source(("continuous", name), spec, source, target, seed, scope, folder)
    dims = _dims(("continuous", name), values, {**_pair_names(populations, spec, found), **scope})
    edges = _edge_builder(name, spec, values, dims, 0.0, source, target, seed, 1.0, scope, found, lesions)
    return ContinuousIR(
        name, spec.source, spec.to, spec.expression, spec.target, tuple(sorted(dims.items())),
        _located(edges, ("continuous", name)), lesioned=name in lesions.cut_later or lesions.transect_later,
    )  # fmt: skip


def _pair_names(
    populations: dict[str, PopulationIR], spec: ProjectionSpec | ContinuousSpec, found: EdgeSource
) -> dict[str, Value]:
    none = np.empty(0, dtype=np.int64)
    columns = {name: Value(np.empty(0), dim) for name, dim in found.columns.items()}
    return {**pair_scope(populations[spec.source], populations[spec.to], none, none, "y"), **columns}


def _dims(path: Path_, values: dict[str, Draw | Expression], scope: Scope) -> dict[str, Dim]:
    dims: dict[str, Dim] = {}
    problems: list[tuple[Path_, str]] = []
    for key, value in values.items():
        try:
            dims[key] = dimension(value, scope)
        except UnitError as error:
            problems.append(((*path, "parameters", key), str(error)))
    if problems:
        raise Located(problems)
    return dims


def _located(edges: Callable[[int, int], Edges], path: Sequence[str | int]) -> Callable[[int, int], Edges]:
    """Give errors that show only when edges are drawn the place of their projection."""

    def located(lo: int, hi: int) -> Edges:
        try:
            return edges(lo, hi)
        except UnitError as error:
            raise Located([(tuple(path), str(error))]) from None

    return located
