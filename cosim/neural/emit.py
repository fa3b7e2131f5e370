"""NetworkIR -> Brian2 objects; the only place that writes Brian2 text.

One NeuronGroup per model (its populations side by side) and one Synapses object per rule between two models: the number of objects,
which decides the cost of a step, does not grow with the number of populations and projections.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Synapses, prefs, second
from brian2.core.functions import Function
from numpy.typing import NDArray

import cosim.neural.quiet  # noqa: F401
from cosim.graph.ir import ContinuousIR, Edges, NetworkIR, PopulationIR, ProjectionIR, Rule
from cosim.graph.random import hashes, stream
from cosim.neural.draws import functions, rewrite
from cosim.neural.equations import declare_parameters, model_text, unit_name, xi_vanishes
from cosim.spec.units import Dim

_STATEMENT = re.compile(r"^\s*([A-Za-z_]\w*)\s*([-+*/]?=)(?!=)\s*(.+?)\s*$")


@dataclass(frozen=True)
class Emitted:
    """The Brian2 objects and where each population sits.

    Attributes
    ----------
    network, clock: the Brian2 Network and the one clock of all its objects. groups: by model name. offset: a population's first index in its group.
    ids: by model, the global id of every neuron of the group, shape (N,) int64. synapses: by a name made from the rule.
    rows: by projection name, (synapses name, positions of its edges in that object).
    """

    network: Network
    clock: Clock
    groups: dict[str, NeuronGroup]
    offset: dict[str, int]
    ids: dict[str, NDArray[np.int64]]
    synapses: dict[str, Synapses]
    rows: dict[str, tuple[str, NDArray[np.int64]]]


def emit(network: NetworkIR) -> Emitted:
    """Build the Brian2 objects of a whole network, connected and with all values set."""
    # a clock of its own: several networks may be open in one process
    clock = Clock(network.dt * second)
    members: dict[str, list[PopulationIR]] = {}
    for one in network.populations.values():
        members.setdefault(one.model, []).append(one)
    offset: dict[str, int] = {}
    ids: dict[str, NDArray[np.int64]] = {}
    for model, populations in members.items():
        at = 0
        for population in populations:
            offset[population.name] = at
            at += population.n
        ids[model] = np.concatenate([np.arange(p.first, p.last) for p in populations])
    sums = _continuous_groups(network)
    extra = functions()
    groups = {
        model: _group(network, clock, model, populations, sums, extra)
        for model, populations in members.items()
    }
    synapses: dict[str, Synapses] = {}
    rows: dict[str, tuple[str, NDArray[np.int64]]] = {}
    for name, rule, projections in _merge(network):
        source = groups[network.populations[projections[0].source].model]
        target = groups[network.populations[projections[0].target].model]
        synapses[name] = _synapses(name, rule, projections, network, clock, source, target, offset, rows)
    for (model, variable), gaps in sums.items():
        for name, contributions in gaps:
            source = groups[network.populations[contributions[0].source].model]
            synapses[name] = _gap(name, variable, contributions, network, clock, source, groups[model], offset, rows)
    whole = Network(*groups.values(), *synapses.values())
    return Emitted(whole, clock, groups, offset, ids, synapses, rows)


# ---------------------------------------------------------------- neurons


def _group(
    network: NetworkIR, clock: Clock, model: str, populations: list[PopulationIR],
    sums: dict[tuple[str, str], list[tuple[str, list[ContinuousIR]]]], extra: dict[str, Function],
) -> NeuronGroup:  # fmt: skip
    spec = network.models[model]
    parameters = {name: p.dim for population in populations for name, p in population.parameters.items()}
    shared = {
        name: _common(populations, name)
        for name in parameters
        if all(name in p.parameters and p.parameters[name].shared for p in populations)
    }
    fixed = {name: value for name, value in shared.items() if value is not None}
    equations = model_text(spec, drop_noise=xi_vanishes(spec, fixed))
    for (target, variable), gaps in sums.items():
        if target == model and len(gaps) > 1:
            equations = split_sum(equations, variable, [name for name, _ in gaps])
    equations, calls = rewrite(equations, 0)
    threshold, calls = rewrite(spec.threshold, calls) if spec.threshold is not None else (None, calls)
    reset, calls = rewrite(spec.reset, calls) if spec.reset is not None else (None, calls)
    text = equations + "\n" + declare_parameters(spec, parameters, set(fixed))
    text += "\nalive : boolean (constant)"
    dtype = {}
    if calls:
        text += "\ndraw_key : integer (constant)"
        dtype["draw_key"] = np.int64
    options = {}
    if threshold is not None:
        options["threshold"] = f"({threshold}) and alive"
        if reset is not None:
            options["reset"] = _lines(reset)
        if spec.refractory is not None:
            # a condition in floating point instead of a time: no conversion to integer steps, the same spikes
            options["refractory"] = f"(t - lastspike) < {_expression(spec.refractory.text)} - 0.5*dt"
    group = NeuronGroup(
        sum(p.n for p in populations), text, method=spec.method, name=_safe("n", model), namespace=dict(extra),
        dtype=dtype or None, clock=clock, **options,
    )  # fmt: skip
    group.variables["alive"].set_value(True)
    if calls:
        keys = [hashes(stream(network.seed, f"draw/{p.name}"), np.arange(p.n)).view(np.int64) for p in populations]
        group.variables["draw_key"].set_value(np.concatenate(keys))
    at = 0
    for population in populations:
        part = slice(at, at + population.n)
        for name, parameter in population.parameters.items():
            values = group.variables[name].get_value()
            if len(values) == len(group):
                values[part] = parameter.values
            else:
                values[:] = fixed[name]
        for name, values in population.initial.items():
            group.variables[name].get_value()[part] = values
        at += population.n
    return group


def _expression(text: str) -> str:
    """Our expression language in Brian2's: `5 ms` is a product, `^` a power."""
    from cosim.spec.units import brian_text

    return brian_text(text)


def _common(populations: list[PopulationIR], name: str) -> float | None:
    """The one value that all neurons of all populations share, else None."""
    values = {float(p.parameters[name].values[0]) for p in populations}
    return values.pop() if len(values) == 1 else None


# ---------------------------------------------------------------- synapses


def _safe(prefix: str, name: str) -> str:
    # a prefix keeps user names apart from Brian2's own; a leading underscore is not allowed in its names
    return f"{prefix}_{name}"


def _merge(network: NetworkIR) -> Iterator[tuple[str, Rule, list[ProjectionIR]]]:
    """Projections with the same rule between the same two models, with a name for the object that holds them."""
    merged: dict[tuple[str, str, Rule], list[ProjectionIR]] = {}
    for projection in network.projections.values():
        ends = (network.populations[projection.source].model, network.populations[projection.target].model)
        merged.setdefault((*ends, projection.rule), []).append(projection)
    for number, ((source, target, rule), projections) in enumerate(merged.items()):
        yield f"s_{source}_{target}_{number}", rule, projections


def _stack(
    projections: list[ProjectionIR] | list[ContinuousIR], network: NetworkIR, offset: dict[str, int]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32], dict[str, NDArray[np.float64]], list[int]]:
    """All edges of some projections in group indices: pre, post, delay, parameters, and where each projection ends."""
    blocks: list[tuple[Edges, int, int]] = []
    for projection in projections:
        edges = projection.edges(0, network.populations[projection.target].n)
        blocks.append((edges, offset[projection.source], offset[projection.target]))
    pre = np.concatenate([e.pre + a for e, a, _ in blocks])
    post = np.concatenate([e.post + b for e, _, b in blocks])
    delay = np.concatenate([e.delay for e, _, _ in blocks])
    names = blocks[0][0].parameters
    values = {name: np.concatenate([e.parameters[name] for e, _, _ in blocks]) for name in names}
    return pre, post, delay, values, list(np.cumsum([len(e) for e, _, _ in blocks]))


def _ordered(
    name: str, projections: list[ProjectionIR] | list[ContinuousIR], pre: NDArray[np.int32], post: NDArray[np.int32],
    ends: list[int], rows: dict[str, tuple[str, NDArray[np.int64]]],
) -> NDArray[np.int64]:  # fmt: skip
    """The order of an object's edges, by (source, target); enters where each projection's edges come to lie into `rows`."""
    order = np.lexsort((post, pre))
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    for projection, begin, end in zip(projections, [0, *ends[:-1]], ends, strict=True):
        rows[projection.name] = (name, np.sort(place[begin:end]))
    return order


def switchable(statements: str) -> str:
    """Statements that do nothing where the synaptic parameter `intact` is 0 (for cuts in mid-run)."""
    out = []
    for line in statements.replace(";", "\n").splitlines():
        if not line.strip() or line.strip().startswith("#"):
            continue
        match = _STATEMENT.match(line.split("#")[0])
        if match is None:
            out.append(line)
            continue
        name, operator, value = match.groups()
        if operator in ("+=", "-="):
            out.append(f"{name} {operator} intact*({value})")
        elif operator == "=":
            out.append(f"{name} = intact*({value}) + (1 - intact)*{name}")
        else:
            out.append(f"{name} {operator} intact*({value}) + (1 - intact)")
    return "\n".join(out)


def _synapses(
    name: str, rule: Rule, projections: list[ProjectionIR], network: NetworkIR, clock: Clock, source: NeuronGroup,
    target: NeuronGroup, offset: dict[str, int], rows: dict[str, tuple[str, NDArray[np.int64]]],
) -> Synapses:  # fmt: skip
    pre, post, delay, values, ends = _stack(projections, network, offset)
    order = _ordered(name, projections, pre, post, ends, rows)
    alike = {k for k, v in values.items() if len(v) and np.all(v == v[0])}
    text = [rule.equations or ""] + [_declare(k, dim, k in alike) for k, dim in rule.parameters]
    on_spike, on_post = rule.on_spike, rule.on_post
    if rule.lesioned:
        text.append("intact : 1")
        on_spike, on_post = switchable(on_spike), switchable(on_post) if on_post is not None else None
    options = {"on_post": _lines(on_post)} if on_post is not None else {}
    if rule.method is not None:
        options["method"] = rule.method
    synapses = Synapses(
        source, target, "\n".join(text), on_pre=_lines(on_spike), name=name, namespace={}, clock=clock, **options
    )
    if not len(pre):
        synapses.active = False
        return synapses
    _connect(synapses, pre[order], post[order])
    same = bool(np.all(delay == delay[0]))
    steps = delay[:1] if same else delay[order]
    synapses.pre.variables["delay"].set_value(np.broadcast_to(steps * network.dt, (len(pre),)).copy())
    for key, array in values.items():
        synapses.variables[key].set_value(float(array[0]) if key in alike else array[order])
    if rule.lesioned:
        synapses.variables["intact"].set_value(np.ones(len(pre)))
    for projection in projections:
        at = rows[projection.name][1]
        for key, number in projection.initial.items():
            synapses.variables[key].get_value()[at] = number
    return synapses


def _connect(synapses: Synapses, pre: NDArray[np.int32], post: NDArray[np.int32]) -> None:
    """Create the synapses with numpy code: it is run once, so compiling it would cost more than it saves."""
    target = prefs.codegen.target
    prefs.codegen.target = "numpy"
    try:
        synapses.connect(i=pre, j=post)
    finally:
        prefs.codegen.target = target


def _lines(statements: str) -> str:
    return statements.replace(";", "\n").strip()


def _declare(name: str, dim: Dim, shared: bool) -> str:
    return f"{name} : {unit_name(dim)} ({'shared, ' if shared else ''}constant)"


# ---------------------------------------------------------------- continuous projections


def _continuous_groups(network: NetworkIR) -> dict[tuple[str, str], list[tuple[str, list[ContinuousIR]]]]:
    """By (target model, variable): the objects that sum into it, each with the projections that share its expression."""
    merged: dict[tuple[str, str], dict[tuple[str, str, tuple[tuple[str, Dim], ...], bool], list[ContinuousIR]]] = {}
    for gap in network.continuous.values():
        source, target = network.populations[gap.source].model, network.populations[gap.target].model
        kinds = merged.setdefault((target, gap.variable), {})
        kinds.setdefault((source, gap.expression, gap.parameters, gap.lesioned), []).append(gap)
    return {
        key: [(f"c_{key[0]}_{key[1]}_{i}", gaps) for i, gaps in enumerate(kinds.values())]
        for key, kinds in merged.items()
    }


def split_sum(equations: str, variable: str, names: list[str]) -> str:
    """Turn the summed variable into the sum of one variable per contribution (Brian2 allows one writer each)."""
    pattern = re.compile(rf"^(\s*){re.escape(variable)}\s*:\s*([^(#\n]+?)\s*(\(.*\))?\s*(#.*)?$", re.MULTILINE)
    match = pattern.search(equations)
    assert match is not None, variable
    unit = match[2]
    parts = [f"{variable}_{name}" for name in names]
    text = f"{variable} = {' + '.join(parts)} : {unit}\n" + "\n".join(f"{p} : {unit}" for p in parts)
    return equations[: match.start()] + text + equations[match.end() :]


def _gap(
    name: str, variable: str, gaps: list[ContinuousIR], network: NetworkIR, clock: Clock, source: NeuronGroup,
    target: NeuronGroup, offset: dict[str, int], rows: dict[str, tuple[str, NDArray[np.int64]]],
) -> Synapses:  # fmt: skip
    pre, post, _, values, ends = _stack(gaps, network, offset)
    order = _ordered(name, gaps, pre, post, ends, rows)
    alone = f"{variable}_{name}" not in target.variables
    written = variable if alone else f"{variable}_{name}"
    unit = unit_name(tuple(target.variables[written].dim._dims))
    lesioned = gaps[0].lesioned
    switch = "intact*" if lesioned else ""
    text = [f"{written}_post = {switch}int(alive_pre)*int(alive_post)*({gaps[0].expression}) : {unit} (summed)"]
    text += ["intact : 1"] if lesioned else []
    text += [_declare(k, dim, False) for k, dim in gaps[0].parameters]
    synapses = Synapses(source, target, "\n".join(text), name=name, namespace={}, clock=clock)
    if not len(pre):
        synapses.active = False
        return synapses
    _connect(synapses, pre[order], post[order])
    for key, array in values.items():
        synapses.variables[key].set_value(array[order])
    if lesioned:
        synapses.variables["intact"].set_value(np.ones(len(pre)))
    return synapses
