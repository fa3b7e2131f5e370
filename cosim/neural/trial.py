"""Every model and rule of a circuit is tried by itself with one neuron: units checked, code generated.

Everything here uses Brian2's numpy target, so no compiler is started.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from brian2 import Clock, Network, NeuronGroup, Synapses, prefs, second
from brian2.stateupdaters.base import UnsupportedEquationsException

import cosim.neural.quiet  # noqa: F401
from cosim.graph.ir import NetworkIR, PopulationIR, Rule
from cosim.neural.check import Path, Problem
from cosim.neural.draws import functions, rewrite
from cosim.neural.equations import (
    DRAWS,
    FORBIDDEN,
    RESERVED,
    declare_parameters,
    first_line,
    identifiers,
    model_text,
    read,
    unit_name,
    variable_units,
)
from cosim.spec.circuit import BUILTIN_MODELS, CircuitSpec, ModelSpec, ProjectionSpec, SynapseSpec
from cosim.spec.units import Dim, brian_text, dim_text, kind_text, suggest


def check_network(circuit: CircuitSpec, network: NetworkIR) -> list[Problem]:
    """Units and code of every model, projection and continuous projection, tried with one neuron each."""
    target = prefs.codegen.target
    prefs.codegen.target = "numpy"
    try:
        return _check_network(circuit, network)
    finally:
        prefs.codegen.target = target


def _check_network(circuit: CircuitSpec, network: NetworkIR) -> list[Problem]:
    problems: list[Problem] = []
    makers: dict[str, Callable[[], NeuronGroup]] = {}
    clock = Clock(network.dt * second)
    for name, model in network.models.items():
        members = [p for p in network.populations.values() if p.model == name]
        found = _check_units(name, model, members)
        if not found:
            found = _try_group(name, model, members, makers, clock)
        problems += found
    if problems:
        return problems
    groups = {name: make() for name, make in makers.items()}
    trial = Trial(groups, Network(*groups.values()), clock)
    seen: set[tuple[str, str, Rule]] = set()
    for name, spec in circuit.projections.items():
        if name not in network.projections:
            continue
        key = (
            network.populations[spec.source].model,
            network.populations[spec.to].model,
            network.projections[name].rule,
        )
        if key not in seen:
            seen.add(key)
            problems += _try_projection(name, spec, circuit, network, trial)
    problems += _try_continuous(circuit, network, trial)
    return problems


@dataclass(frozen=True)
class Trial:
    """One neuron of every model in a network, to which synapses are added and taken away again."""

    groups: dict[str, NeuronGroup]
    network: Network
    clock: Clock

    def run(self, synapses: Synapses) -> None:
        """Generate the code of some synapses. Raises whatever Brian2 raises."""
        synapses.connect(i=[0], j=[0])
        self.network.add(synapses)
        try:
            self.network.run(0 * second, namespace={})
        finally:
            self.network.remove(synapses)


def _check_units(name: str, model: ModelSpec, members: list[PopulationIR]) -> list[Problem]:
    """Declared variables against the units of their values; one parameter has one dimension in all populations."""
    problems: list[Problem] = []
    declared = variable_units(model)
    seen: dict[str, Dim] = {}
    for population in members:
        for key, parameter in population.parameters.items():
            own = ("parameters", key)
            where: Path = ("populations", population.name, *own)
            if key in model.parameters and key not in population.overridden:
                where = ("models", name, *own)
            want = declared.get(key, seen.setdefault(key, parameter.dim))
            zero = bool(np.all(parameter.values == 0))
            if parameter.dim != want and not zero:
                problems.append((where, f"expected {dim_text(want)}, got {kind_text(parameter.dim)}"))
    return list(dict.fromkeys(problems))


def _try_group(
    name: str, model: ModelSpec, members: list[PopulationIR], makers: dict[str, Callable[[], NeuronGroup]], clock: Clock
) -> list[Problem]:
    dims = {key: p.dim for population in members for key, p in population.parameters.items()}
    text, calls = rewrite(model_text(model), 0)
    threshold, calls = rewrite(model.threshold, calls) if model.threshold is not None else (None, calls)
    reset, calls = rewrite(model.reset, calls) if model.reset is not None else (None, calls)
    text += "\n" + declare_parameters(model, dims, set()) + "\nalive : boolean (constant)"
    text += "\ndraw_key : integer (constant)" if calls else ""
    here: Path = ("models", name) if name not in BUILTIN_MODELS else ("populations", members[0].name)
    options: dict[str, Any] = {"method": model.method, "namespace": dict(functions()), "clock": clock}
    if calls:
        options["dtype"] = {"draw_key": np.int64}

    def make(more: dict[str, Any]) -> NeuronGroup:
        group = NeuronGroup(1, text, **options, **more)
        for key in dims:
            group.variables[key].set_value(1.0)  # any number: only code and units are looked at
        return group

    more: dict[str, Any] = {}

    def attempt() -> None:
        Network(make(more)).run(0 * second, namespace={})

    problem = _attempt(attempt, (*here, "equations"))
    if problem is not None:
        return [problem]
    if threshold is not None:
        more["threshold"] = f"({threshold}) and alive"
        problem = _attempt(attempt, (*here, "threshold"))
        if problem is not None:
            return [problem]
        if reset is not None:
            more["reset"] = reset.replace(";", "\n").strip()
            problem = _attempt(attempt, (*here, "reset"))
            if problem is not None:
                return [problem]
        if model.refractory is not None:
            more["refractory"] = f"(t - lastspike) < {brian_text(model.refractory.text)} - 0.5*dt"
            problem = _attempt(attempt, (*here, "refractory"))
            if problem is not None:
                return [problem]
    makers[name] = lambda: make(more)
    return []


def _attempt(action: Callable[[], Any], path: Path) -> Problem | None:
    try:
        action()
    except Exception as error:  # Brian2 raises many kinds; the innermost says what is wrong
        cause: BaseException = error
        while cause.__cause__ is not None:
            cause = cause.__cause__
        if isinstance(cause, UnsupportedEquationsException):
            # the equations are right, but not for this integration method
            return ((*path[:-1], "method"), first_line(cause))
        return (path, first_line(cause))
    return None


def _try_projection(
    name: str, spec: ProjectionSpec, circuit: CircuitSpec, network: NetworkIR, trial: Trial
) -> list[Problem]:
    rule = network.projections[name].rule
    source = trial.groups[network.populations[spec.source].model]
    target = trial.groups[network.populations[spec.to].model]
    if "_spikespace" not in source.variables:
        return [(("projections", name, "from"), f"population '{spec.source}' does not spike; use `continuous`")]
    where: Path = ("synapses", spec.synapse) if spec.synapse is not None else ("projections", name)
    owner: SynapseSpec | ProjectionSpec = circuit.synapses[spec.synapse] if spec.synapse is not None else spec
    for key in ("on_spike", "on_post", "equations"):
        text = getattr(owner, key) or ""
        words = [w for w in (*FORBIDDEN, *DRAWS) if w in identifiers(text)]
        if words:
            return [
                ((*where, key), f"{words[0]}() is not available in synapses: its draws would depend on their order")
            ]
    parameters = dict(rule.parameters)
    declared = set(read(rule.equations).dims) if rule.equations else set()
    used = identifiers(" ".join(filter(None, (rule.on_spike, rule.on_post, rule.equations))))
    problems: list[Problem] = []
    for key in parameters:
        if key not in used:
            path = ("projections", name, "parameters", key) if key in spec.parameters else (*where, "parameters", key)
            problems.append((path, f"'{key}' is not used by the synapse{suggest(key, used)}"))
        elif key in declared or key in RESERVED:
            problems.append(((*where, "equations"), f"'{key}' is declared in the equations and a parameter too"))
    if problems:
        return problems

    def attempt() -> None:
        text = "\n".join([rule.equations or "", *(f"{k} : {unit_name(d)} (constant)" for k, d in parameters.items())])
        trial.run(Synapses(source, target, text, namespace={}, clock=trial.clock, **_lines(rule)))

    problem = _attempt(attempt, (*where, "on_spike"))
    return [problem] if problem is not None else []


def _lines(rule: Rule) -> dict[str, Any]:
    found: dict[str, Any] = {"on_pre": rule.on_spike.replace(";", "\n").strip()}
    if rule.on_post is not None:
        found["on_post"] = rule.on_post.replace(";", "\n").strip()
    if rule.method is not None:
        found["method"] = rule.method
    return found


def _try_continuous(circuit: CircuitSpec, network: NetworkIR, trial: Trial) -> list[Problem]:
    problems: list[Problem] = []
    for name, spec in circuit.continuous.items():
        if name not in network.continuous:
            continue
        here: Path = ("continuous", name)
        source = trial.groups[network.populations[spec.source].model]
        target_model = network.models[network.populations[spec.to].model]
        target = trial.groups[network.populations[spec.to].model]
        equations = read(target_model.equations)
        if spec.target not in equations.parameters:
            inputs = sorted(equations.parameters)
            message = f"population '{spec.to}' declares no input variable '{spec.target}'{suggest(spec.target, inputs)}"
            problems.append(((*here, "target"), message))
            continue
        if not re.search(rf"^\s*{re.escape(spec.target)}\s*:", target_model.equations, re.MULTILINE):
            problems.append(
                ((*here, "target"), f"'{spec.target}' must be declared on a line of its own in the equations")
            )
            continue
        unit = unit_name(equations.dims[spec.target])
        parameters = dict(network.continuous[name].parameters)
        text = [f"{spec.target}_post = {spec.expression} : {unit} (summed)"]
        text += [f"{k} : {unit_name(d)} (constant)" for k, d in parameters.items()]

        def attempt(text: list[str] = text, source: NeuronGroup = source, target: NeuronGroup = target) -> None:
            trial.run(Synapses(source, target, "\n".join(text), namespace={}, clock=trial.clock))

        problem = _attempt(attempt, (*here, "expression"))
        if problem is not None:
            problems.append(problem)
    return problems
