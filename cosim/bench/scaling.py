"""What a tick of a shared network costs: a sum of terms, fitted to measurements, and carried on to more ranks.

The network is random, every neuron has `indegree` sources, delays are drawn from a few steps. docs/scaling.md derives
the terms. A tick is an epoch here: one exchange a tick.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

TICK = 1e-3  # s
#: chances of the delays of lif.yaml: 1 to 2 ms in steps of 0.1 ms, rounded
DELAYS = (0.05, *(0.1,) * 9, 0.05)
WORD = 8  # bytes of a spike that travels
#: spikes for which messages have room at first, and words before them (cosim.mpi.exchange)
ROOM, HEAD = 62, 2


def _some(mean: float) -> float:
    """Chance that a Poisson number of this mean is not 0."""
    return -math.expm1(-mean)


@dataclass(frozen=True)
class Shape:
    """A network of `n` neurons that fire at `rate` (Hz), shared evenly among `ranks`. Numbers below are per tick."""

    n: int
    indegree: int
    ranks: int
    rate: float
    delays: tuple[float, ...] = DELAYS

    @property
    def neurons(self) -> float:
        """On a rank."""
        return self.n / self.ranks

    @property
    def synapses(self) -> float:
        """On a rank."""
        return self.neurons * self.indegree

    @property
    def spikes(self) -> float:
        """Of the whole network."""
        return self.rate * TICK * self.n

    @property
    def fan(self) -> float:
        """Ranks on which a neuron has targets, expected: it has `indegree` outgoing edges on average (Poisson)."""
        return self.ranks * _some(self.indegree / self.ranks)

    @property
    def arrived(self) -> float:
        """Spikes that reach a rank: those that have a target there."""
        return self.spikes * self.fan / self.ranks

    @property
    def events(self) -> float:
        """Synaptic events on a rank."""
        return self.spikes * self.indegree / self.ranks

    @property
    def rows(self) -> float:
        """Rows that are delivered on a rank: edges of one source that have one delay."""
        return self.spikes * sum(_some(chance * self.indegree / self.ranks) for chance in self.delays)

    @property
    def sources(self) -> float:
        """Neurons of the whole network that have a target on a rank."""
        return self.n * self.fan / self.ranks

    @property
    def room(self) -> float:
        """Spikes for which every message has room: twice the largest so far, or what there is at first."""
        pair = self.arrived / self.ranks
        # the largest of ranks^2 messages of a Poisson number of spikes, about
        largest = pair + math.sqrt(2 * pair * math.log(1 + self.ranks**2))
        return max(ROOM, 2 * largest if largest > ROOM else 0.0)

    @property
    def volume(self) -> float:
        """Bytes that a rank sends to others, as messages are: of equal size."""
        return (self.ranks - 1) * (HEAD + self.room) * WORD

    @property
    def spike_volume(self) -> float:
        """Bytes of these that are spikes."""
        return self.arrived * (1.0 - 1.0 / self.ranks) * WORD

    def term(self, name: str) -> float:
        """A term by name: a number that a cost is proportional to."""
        return 1.0 if name == "once" else float(getattr(self, name))


#: part -> terms of which it is the sum: s a tick, and bytes
TERMS: dict[str, tuple[str, ...]] = {
    "integrating": ("once", "neurons", "events", "rows"),
    "writing": ("once", "arrived", "ranks"),
    "merging": ("once", "arrived", "rows", "ranks"),
    "gathering": ("once", "spikes", "ranks"),
    "memory": ("once", "n", "neurons", "sources", "synapses"),
}
Costs = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Observation:
    """What was measured of a shape: parts by name (any of TERMS)."""

    shape: Shape
    parts: Mapping[str, float] = field(default_factory=dict)


def fit(observations: Sequence[Observation]) -> Costs:
    """Coefficients of every part that was observed, by least squares of the relative errors, none negative."""
    found: Costs = {}
    for part, terms in TERMS.items():
        rows = [one for one in observations if part in one.parts]
        if rows:
            values = np.array([one.parts[part] for one in rows])
            matrix = np.array([[one.shape.term(name) for name in terms] for one in rows])
            solution = _least_squares(matrix / values[:, None], np.ones(len(rows)))
            found[part] = dict(zip(terms, solution.tolist(), strict=True))
    return found


def _least_squares(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Non-negative least squares of few columns: the best of all subsets of them whose solution is not negative."""
    scale = np.linalg.norm(matrix, axis=0)
    scaled = matrix / scale
    best, least = np.zeros(matrix.shape[1]), math.inf
    for chosen in range(1, 2 ** matrix.shape[1]):
        columns = [k for k in range(matrix.shape[1]) if chosen >> k & 1]
        solution = np.linalg.lstsq(scaled[:, columns], target, rcond=None)[0]
        error = float(np.sum((scaled[:, columns] @ solution - target) ** 2))
        if (solution >= 0.0).all() and error < least:
            least, best = error, np.zeros(matrix.shape[1])
            best[columns] = solution
    found: np.ndarray = best / scale
    return found


def cost(costs: Costs, part: str, shape: Shape, terms: Sequence[str] = ()) -> float:
    """A part of a shape, or the share of some of its terms."""
    return sum(value * shape.term(name) for name, value in costs[part].items() if not terms or name in terms)


@dataclass(frozen=True)
class Card:
    """What is assumed of the network between machines: `latency` (s) of a message, `bandwidth` (bytes/s) of a card, and
    how many ranks share one."""

    latency: float = 2e-6
    bandwidth: float = 10e9
    ranks: int = 1

    def rounds(self, shape: Shape) -> float:
        """Seconds of an exchange in log2(ranks) rounds, in each of which half of all messages travel (Bruck)."""
        if shape.ranks == 1:
            return 0.0
        rounds = math.ceil(math.log2(shape.ranks))
        sent = rounds * shape.ranks / 2 * (HEAD + shape.room) * WORD
        return rounds * self.latency + sent * min(self.ranks, shape.ranks) / self.bandwidth

    def pairs(self, shape: Shape) -> float:
        """Seconds of an exchange with one rank after another."""
        return (shape.ranks - 1) * self.latency + shape.volume * min(self.ranks, shape.ranks) / self.bandwidth


def predict(costs: Costs, shape: Shape, card: Card) -> dict[str, float]:
    """Parts of a tick (s) of the busiest rank, which is rank 0, with their `total`; `gathering` only it has.

    `waiting` is for ranks to which chance sends more events than to others: the largest of so many Poisson numbers.
    """
    parts = {
        "integration": cost(costs, "integrating", shape, ("once", "neurons")),
        "delivery": cost(costs, "integrating", shape, ("events", "rows")),
        "merging": cost(costs, "merging", shape) if shape.ranks > 1 else 0.0,
        "writing": cost(costs, "writing", shape) if shape.ranks > 1 else 0.0,
        "exchange": min(card.rounds(shape), card.pairs(shape)),
        "waiting": cost(costs, "integrating", shape, ("events",))
        * math.sqrt(2 * math.log(shape.ranks) / max(shape.events, 1.0)),
        "gathering": cost(costs, "gathering", shape) if shape.ranks > 1 else 0.0,
    }
    return {**parts, "total": sum(parts.values())}
