"""The part of a network that one process holds: all of it, or one rank's share."""

from __future__ import annotations

from dataclasses import dataclass, field

from cosim.graph.ir import NetworkIR, PopulationIR


@dataclass(frozen=True)
class Part:
    """`bounds`: the neurons [lo, hi) of every population that are here; with these come the edges onto them.

    `together`: projections whose sources are here too, which are delivered without the exchange of spikes. `shared`
    says whether other processes hold the rest.
    """

    bounds: dict[str, tuple[int, int]]
    together: frozenset[str] = field(default_factory=frozenset)
    shared: bool = True

    @classmethod
    def whole(cls, network: NetworkIR) -> Part:
        """Everything."""
        return cls({p.name: (0, p.n) for p in network.populations.values()}, frozenset(network.projections), False)

    def size(self, population: PopulationIR) -> int:
        """How many neurons of a population are here."""
        lo, hi = self.bounds[population.name]
        return hi - lo
