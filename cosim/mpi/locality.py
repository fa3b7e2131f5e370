"""Which projections cannot cross ranks: those whose statements read variables of the source neuron.

A spike is all that travels between ranks. What is joined by more than spikes (gap junctions, graded projections,
plastic rules that read ``v_pre``) therefore stays together on one rank.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cosim.graph.ir import NetworkIR, ProjectionIR
from cosim.spec.circuit import ModelSpec

_PRE = re.compile(r"\b([A-Za-z]\w*?)_pre\b")
_SYNAPSES_ONLY = re.compile(r"\b(i|N_outgoing|N_pre)\b")
_DECLARED = re.compile(r"^\s*d?([A-Za-z]\w*)(?:/dt)?\s*(?:=[^:]*)?:", re.MULTILINE)
_NAME = re.compile(r"\b[A-Za-z]\w*\b")


def source_variables(projection: ProjectionIR, model: ModelSpec, parameters: frozenset[str]) -> list[str]:
    """Names by which a projection's rule reads its source neuron, sorted.

    ``model`` is the source's, ``parameters`` are the names of its parameters. ``X_pre`` is such a name where the model
    has X and the rule does not declare an X_pre of its own; ``i`` and ``N_outgoing`` are numbers of the source too.
    """
    rule = projection.rule
    text = "\n".join(part for part in (rule.on_spike, rule.on_post, rule.equations) if part)
    own = {name for name, _ in rule.parameters} | set(_DECLARED.findall(rule.equations or ""))
    theirs = set(_DECLARED.findall(model.equations)) | parameters | {"i", "lastspike", "not_refractory"}
    found = {f"{name}_pre" for name in _PRE.findall(text) if name in theirs and f"{name}_pre" not in own}
    return sorted(found | (set(_SYNAPSES_ONLY.findall(text)) - own))


def entangled(network: NetworkIR) -> Iterator[tuple[str, str, str, str]]:
    """(projection, source, target, reason) of all that must stay on one rank; the names of populations."""
    for gap in network.continuous.values():
        yield gap.name, gap.source, gap.target, "a continuous projection"
    for projection in network.projections.values():
        source = network.populations[projection.source]
        names = source_variables(projection, network.models[source.model], frozenset(source.parameters))
        if names:
            yield projection.name, projection.source, projection.target, f"a projection that reads {names[0]}"


def local_rules(network: NetworkIR) -> set[str]:
    """Names of the projections whose spikes never leave a rank."""
    return {name for name, *_ in entangled(network) if name in network.projections}
