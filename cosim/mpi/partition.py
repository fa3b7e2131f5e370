"""Which rank owns which neurons: data that depend on the network and the number of ranks alone.

Every population is cut into one run of neighbouring neurons per rank, in order of rank, so that the work is even and
every rank has its part of the busy populations as well as of the quiet ones. Populations that are joined by more than
spikes (see ``locality``) are one piece.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.errors import UserError
from cosim.graph.ir import NetworkIR
from cosim.mpi.locality import entangled

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]

#: s of work for one neuron in one step and for one synaptic event, as measured (docs/compiled.md); events are weighed
#: at this rate (Hz), which is of no consequence where all neurons have about as many synapses
NEURON_STEP, EVENT, RATE = 1e-9, 8e-9, 10.0
#: targets per population and projection whose rows are drawn to learn how many synapses they have
_SAMPLES = 32
_SIZE = re.compile(r"\bN\b")


@dataclass(frozen=True)
class Partition:
    """`bounds[population]` has shape (ranks + 1,): rank r owns the ids [bounds[r], bounds[r + 1]).

    `neurons`, `synapses` (incoming, estimated from a sample) and `work` (s per biological second, estimated) have shape
    (ranks,).
    """

    ranks: int
    bounds: dict[str, I64]
    neurons: I64
    synapses: F64
    work: F64

    @property
    def imbalance(self) -> float:
        """The largest share of the work over the mean, minus 1."""
        return float(self.work.max() / self.work.mean() - 1.0) if self.work.any() else 0.0

    def part(self, rank: int) -> dict[str, tuple[int, int]]:
        """The neurons [lo, hi) of every population that a rank owns."""
        return {name: (int(bounds[rank]), int(bounds[rank + 1])) for name, bounds in self.bounds.items()}


def indegrees(network: NetworkIR) -> dict[str, F64]:
    """Incoming synapses of every neuron by population, shape (n,).

    Estimated: the rows of evenly spaced targets are drawn, and the numbers in between are interpolated.
    """
    found = {name: np.zeros(population.n) for name, population in network.populations.items()}
    for joined in (network.projections, network.continuous):
        for projection in joined.values():
            n = network.populations[projection.target].n
            at = np.unique(np.linspace(0, n - 1, min(n, _SAMPLES)).round().astype(np.int64))
            counts = [len(projection.edges(int(j), int(j) + 1)) for j in at]
            found[projection.target] += np.interp(np.arange(n), at, counts)
    return found


def partition(network: NetworkIR, ranks: int) -> Partition:
    """Deal the neurons to ranks. Raises UserError, with the names, where some rank would get none."""
    for name, model in network.models.items():
        if _SIZE.search("\n".join(text for text in (model.equations, model.threshold, model.reset) if text)):
            raise UserError(f"model '{name}' uses N, the size of a group, which is not known where ranks share it")
    if ranks > network.n:
        raise UserError(f"{ranks} ranks are too many for the {network.n} neurons of '{network.name}'")
    degrees = indegrees(network)
    work = {name: NEURON_STEP / network.dt + EVENT * RATE * degree for name, degree in degrees.items()}
    loads = np.zeros(ranks)
    owner: dict[str, int] = {}
    pieces = _pieces(network)
    for names in sorted(pieces, key=lambda names: -sum(float(work[name].sum()) for name in names)):
        rank = int(loads.argmin())
        loads[rank] += sum(float(work[name].sum()) for name in names)
        owner |= dict.fromkeys(names, rank)
    free = [population for population in network.populations.values() if population.n and population.name not in owner]
    shares = _shares(loads, sum(float(work[population.name].sum()) for population in free))
    bounds = {
        name: np.where(np.arange(ranks + 1) <= owner[name], 0, network.populations[name].n).astype(np.int64)
        for name in owner
    }
    carry = np.zeros(ranks - 1)
    for population in free:
        bounds[population.name], carry = _cut(work[population.name], shares, carry)
    result = _summary(network, ranks, {name: bounds.get(name, np.zeros(ranks + 1, np.int64)) for name in degrees},
                      degrees, work)  # fmt: skip
    if not result.neurons.all():
        raise UserError(_too_entangled(network, pieces, ranks))
    return result


def _pieces(network: NetworkIR) -> list[tuple[str, ...]]:
    """The populations that must stay together, as sets of names in the order of the network."""
    piece: dict[str, set[str]] = {}
    for _, source, target, _ in entangled(network):
        both = piece.get(source, {source}) | piece.get(target, {target})
        for name in both:
            piece[name] = both
    order = list(network.populations)
    return list(dict.fromkeys(tuple(sorted(names, key=order.index)) for names in piece.values()))


def _shares(loads: F64, free: float) -> F64:
    """Fractions of the divisible work by rank, so that the fullest ranks get none before the others are level."""
    level = np.sort(loads)
    for used in range(len(level), 0, -1):
        height = (free + level[:used].sum()) / used
        if height >= level[used - 1]:
            break
    room = np.maximum(height - loads, 0.0)
    return room / room.sum() if room.any() else np.full(len(loads), 1.0 / len(loads))


def _cut(work: F64, shares: F64, carry: F64) -> tuple[I64, F64]:
    """Bounds of one population, and what was cut too much or too little (work), for the next population to make
    good."""
    total = np.concatenate([[0.0], np.cumsum(work)])
    wanted = np.cumsum(shares)[:-1] * total[-1] + carry
    inner = np.searchsorted(total, wanted)
    # the nearer of the two neighbouring cuts
    inner = np.clip(inner, 1, len(work))
    inner -= (wanted - total[inner - 1]) < (total[inner] - wanted)
    inner = np.maximum.accumulate(inner) if len(inner) else inner
    return np.concatenate([[0], inner, [len(work)]]).astype(np.int64), wanted - total[inner]


def _summary(
    network: NetworkIR, ranks: int, bounds: dict[str, I64], degrees: dict[str, F64], work: dict[str, F64]
) -> Partition:
    neurons, synapses, load = np.zeros(ranks, dtype=np.int64), np.zeros(ranks), np.zeros(ranks)
    for name, at in bounds.items():
        neurons += np.diff(at)
        for total, values in ((synapses, degrees[name]), (load, work[name])):
            total += np.diff(np.concatenate([[0.0], np.cumsum(values)])[at])
    return Partition(ranks, bounds, neurons, synapses, load)


def _too_entangled(network: NetworkIR, pieces: list[tuple[str, ...]], ranks: int) -> str:
    largest: tuple[str, ...] = max(pieces, key=lambda names: sum(network.populations[n].n for n in names), default=())
    if not largest:
        return f"'{network.name}' has too few neurons to be shared among {ranks} ranks"
    projection, _, _, reason = next(found for found in entangled(network) if found[1] in largest)
    names = ", ".join(f"'{name}'" for name in largest)
    plural = "populations" if len(largest) > 1 else "population"
    return (
        f"'{network.name}' cannot be shared among {ranks} ranks: {plural} {names} must stay on one rank, because "
        f"'{projection}' is {reason}, and that leaves a rank without neurons"
    )
