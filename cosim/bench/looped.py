"""The same network stepped in other ways, to compare with: `Network.run` once a tick, and once for all."""

from __future__ import annotations

from brian2 import NetworkOperation, second

from cosim.graph.ir import ContinuousIR, NetworkIR, ProjectionIR
from cosim.neural.runtime import RuntimeBackend


class LoopedBackend(RuntimeBackend):
    """The runtime backend, whose Brian2 objects can also be stepped as people write it: ``net.run(1*ms)`` in a loop.

    `looped` chooses how advance() goes. Spikes are the same either way (a test compares them).
    """

    def __init__(self, network: NetworkIR, steps_per_tick: int, *, target: str = "auto") -> None:
        super().__init__(network, steps_per_tick, target=target)
        self.looped = False
        self._collector = NetworkOperation(self._collect, clock=self._emitted.clock, when="end")

    def _collect(self) -> None:
        for space, ids in self._spaces:
            count = int(space[-1])
            if count:
                self._spikes.append((int(self._timestep[0]), ids[space[:count]]))

    def _advance(self) -> None:
        if not self.looped:
            super()._advance()
            return
        self._spikes.clear()
        self._emitted.network.run(self.steps_per_tick * self._dt * second, namespace={})
        self._remember()

    def loop(self, on: bool) -> None:
        """Step by ``Network.run`` from now on, or no longer."""
        if on == self.looped:
            return
        self.looped = on
        brian = self._emitted.network
        if self._collector not in brian.objects:
            brian.add(self._collector)
        self._collector.active = on  # Brian2 takes nothing back that has run once
        self._synchronise()

    def uninterrupted(self, n_ticks: int) -> None:
        """One ``Network.run`` over many ticks: no exchange, inputs as they are now."""
        self._synchronise()
        self._flushing.begin()
        try:
            self._emitted.network.run(n_ticks * self.steps_per_tick * self._dt * second, namespace={})
        finally:
            self._flushing.end()

    def _synchronise(self) -> None:
        # Network.run starts from the network's own time, which stepping its objects does not move
        self._emitted.network.t_ = float(self._t[0])


def counts(network: NetworkIR) -> dict[str, int]:
    """Neurons and synapses."""
    joined: list[ProjectionIR | ContinuousIR] = [*network.projections.values(), *network.continuous.values()]
    return {"neurons": network.n, "synapses": sum(len(p.edges(0, network.populations[p.target].n)) for p in joined)}


__all__ = ["LoopedBackend", "counts"]
