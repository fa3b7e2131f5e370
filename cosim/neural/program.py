"""What a build depends on: the texts and the list of objects of a network, nothing that a study varies.

Sizes, connectivity, weights, delays, parameter values, masks and seeds are not here (see cosim.neural.arrays): two
networks with equal programs are run by the same compiled code. Whether a neuron's parameter is one number for all or
an array is decided by the circuit's text, not by the values: it is one number if the model gives it as one and no
population overrides it (which makes code that is several times faster). A synapse's parameter is always an array for
the code. The only exception is noise: where every factor of `xi` is given as zero, it is dropped, since drawing nothing
is another program than drawing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from cosim.graph.ir import ContinuousIR, NetworkIR, PopulationIR, ProjectionIR, Rule
from cosim.neural.draws import rewrite
from cosim.neural.equations import declare_parameters, model_text, unit_name, variable_units, xi_vanishes
from cosim.spec.units import Dim, brian_text

_STATEMENT = re.compile(r"^\s*([A-Za-z_]\w*)\s*([-+*/]?=)(?!=)\s*(.+?)\s*$")


@dataclass(frozen=True)
class GroupText:
    """One NeuronGroup: all populations of a model, side by side."""

    name: str
    model: str
    equations: str
    method: str
    threshold: str | None
    reset: str | None
    refractory: str | None
    draws: bool


@dataclass(frozen=True)
class SynapsesText:
    """One Synapses object: all projections with the same rule between two models."""

    name: str
    source: str
    target: str
    equations: str
    on_pre: str
    on_post: str | None
    method: str | None
    projections: tuple[str, ...]


@dataclass(frozen=True)
class SummedText:
    """One Synapses object that sums continuous projections into a variable of the target model."""

    name: str
    source: str
    target: str
    equations: str
    projections: tuple[str, ...]


@dataclass(frozen=True)
class Program:
    """All objects of a network, in the order in which they are created."""

    groups: tuple[GroupText, ...]
    synapses: tuple[SynapsesText, ...]
    summed: tuple[SummedText, ...]

    @property
    def joined(self) -> tuple[SynapsesText | SummedText, ...]:
        """All objects that join groups."""
        return (*self.synapses, *self.summed)

    @property
    def text(self) -> str:
        """Everything that decides the code, as JSON (which projections an object holds does not)."""
        content = asdict(self)
        for one in (*content["synapses"], *content["summed"]):
            del one["projections"]
        return json.dumps(content, sort_keys=True)

    @property
    def digest(self) -> str:
        """SHA-256 of `text`."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def from_text(text: str) -> Program:
    """The program of a `Program.text`; its objects do not know their projections."""
    content = json.loads(text)
    return Program(
        tuple(GroupText(**one) for one in content["groups"]),
        tuple(SynapsesText(**one, projections=()) for one in content["synapses"]),
        tuple(SummedText(**one, projections=()) for one in content["summed"]),
    )


def program(network: NetworkIR, *, switches: bool) -> Program:
    """The program of a network.

    `switches` writes cuts in mid-run into the synapses' statements (the parameter `intact`), for a backend that cannot
    skip single synapses itself.
    """
    members = populations_by_model(network)
    sums = _sums(network)
    groups = tuple(_group(network, model, populations, sums) for model, populations in members.items())
    synapses = tuple(_synapses(*merged, switches) for merged in _merge(network))
    summed = tuple(
        _summed(name, variable, gaps, network, len(kinds) == 1, switches)
        for (_, variable), kinds in sums.items()
        for name, gaps in kinds
    )
    return Program(groups, synapses, summed)


def populations_by_model(network: NetworkIR) -> dict[str, list[PopulationIR]]:
    """The populations of each model, in the order in which they lie in its group."""
    members: dict[str, list[PopulationIR]] = {}
    for one in network.populations.values():
        members.setdefault(one.model, []).append(one)
    return members


# ---------------------------------------------------------------- neurons


def _group(
    network: NetworkIR, model: str, populations: list[PopulationIR],
    sums: dict[tuple[str, str], list[tuple[str, list[ContinuousIR]]]],
) -> GroupText:  # fmt: skip
    spec = network.models[model]
    parameters = {name: p.dim for population in populations for name, p in population.parameters.items()}
    plain = [
        name
        for name in parameters
        if all(name in p.parameters and p.parameters[name].shared for p in populations)
    ]  # fmt: skip
    scalars = {name for name in plain if not any(name in p.overridden for p in populations)}
    zeros = {name: 0.0 for name in plain if all(not p.parameters[name].values.any() for p in populations)}
    equations = model_text(spec, drop_noise=xi_vanishes(spec, zeros))
    for (target, variable), gaps in sums.items():
        if target == model and len(gaps) > 1:
            equations = split_sum(equations, variable, [name for name, _ in gaps])
    equations, calls = rewrite(equations, 0)
    threshold, calls = rewrite(spec.threshold, calls) if spec.threshold is not None else (None, calls)
    reset, calls = rewrite(spec.reset, calls) if spec.reset is not None else (None, calls)
    text = equations + "\n" + declare_parameters(spec, parameters, scalars) + "\nalive : boolean (constant)"
    if calls:
        text += "\ndraw_key : integer (constant)"
    refractory = None
    if threshold is not None and spec.refractory is not None:
        # a condition in floating point instead of a time: no conversion to integer steps, the same spikes
        refractory = f"(t - lastspike) < {brian_text(spec.refractory.text)} - 0.5*dt"
    return GroupText(
        # a prefix keeps user names apart from Brian2's own; a leading underscore is not allowed in its names
        f"n_{model}", model, text, spec.method,
        f"({threshold}) and alive" if threshold is not None else None,
        _lines(reset) if threshold is not None and reset is not None else None,
        refractory, bool(calls),
    )  # fmt: skip


# ---------------------------------------------------------------- synapses


def _merge(network: NetworkIR) -> Iterator[tuple[str, str, str, list[ProjectionIR]]]:
    """Projections with the same rule between the same two models, with a name for the object that holds them.

    Whether a projection is cut in mid-run does not separate it: until then the sums are those of the intact network.
    """
    merged: dict[tuple[str, str, tuple[object, ...]], list[ProjectionIR]] = {}
    for projection in network.projections.values():
        source, target = (network.populations[p].model for p in (projection.source, projection.target))
        merged.setdefault((source, target, _rule_key(projection.rule)), []).append(projection)
    for number, ((source, target, _), projections) in enumerate(merged.items()):
        yield f"s_{source}_{target}_{number}", source, target, projections


def _rule_key(rule: Rule) -> tuple[object, ...]:
    return rule.on_spike, rule.on_post, rule.equations, rule.method, rule.parameters


def _synapses(name: str, source: str, target: str, projections: list[ProjectionIR], switches: bool) -> SynapsesText:
    rule = projections[0].rule
    text = [rule.equations or ""] + [_declare(k, dim) for k, dim in rule.parameters]
    on_spike, on_post = rule.on_spike, rule.on_post
    if switches and any(p.rule.lesioned for p in projections):
        text.append("intact : 1")
        on_spike, on_post = switchable(on_spike), switchable(on_post) if on_post is not None else None
    return SynapsesText(
        name, source, target, "\n".join(text), _lines(on_spike), _lines(on_post) if on_post is not None else None,
        rule.method, tuple(p.name for p in projections),
    )  # fmt: skip


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


def _lines(statements: str) -> str:
    return statements.replace(";", "\n").strip()


def _declare(name: str, dim: Dim) -> str:
    return f"{name} : {unit_name(dim)} (constant)"


# ---------------------------------------------------------------- continuous projections


def _sums(network: NetworkIR) -> dict[tuple[str, str], list[tuple[str, list[ContinuousIR]]]]:
    """By (target model, variable): the objects that sum into it, each with the projections of one expression."""
    merged: dict[tuple[str, str], dict[tuple[str, str, tuple[tuple[str, Dim], ...]], list[ContinuousIR]]] = {}
    for gap in network.continuous.values():
        source, target = network.populations[gap.source].model, network.populations[gap.target].model
        kinds = merged.setdefault((target, gap.variable), {})
        kinds.setdefault((source, gap.expression, gap.parameters), []).append(gap)
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


def _summed(
    name: str, variable: str, gaps: list[ContinuousIR], network: NetworkIR, alone: bool, switches: bool
) -> SummedText:
    source, target = (network.populations[p].model for p in (gaps[0].source, gaps[0].target))
    written = variable if alone else f"{variable}_{name}"
    unit = unit_name(variable_units(network.models[target])[variable])
    lesioned = switches and any(gap.lesioned for gap in gaps)
    switch = "intact*" if lesioned else ""
    text = [f"{written}_post = {switch}int(alive_pre)*int(alive_post)*({gaps[0].expression}) : {unit} (summed)"]
    text += ["intact : 1"] if lesioned else []
    text += [_declare(k, dim) for k, dim in gaps[0].parameters]
    return SummedText(name, source, target, "\n".join(text), tuple(gap.name for gap in gaps))
