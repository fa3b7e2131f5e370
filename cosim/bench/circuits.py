"""The networks that are measured: cosim circuits, and the same neurons and edges as files for other simulators."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.graph.build import build
from cosim.graph.ir import Edges, NetworkIR
from cosim.graph.random import stream, uniforms
from cosim.spec.circuit import CircuitSpec
from cosim.spec.load import load_document
from cosim.spec.units import Value

CELLS, ALL = "cells", "all"  # population and projection of lif.yaml
STEPS = 10  # network steps of 0.1 ms a tick
DT = 1e-4
INPUTS = 100
SEED = 1
_FILE = Path(__file__).with_name("lif.yaml")
_DRIVE_ROWS = 64  # ticks after which the written currents repeat

# the wiring of a whole small brain: neurons, edges, neurons that are driven
FLY_NEURONS, FLY_EDGES, FLY_DRIVEN = 138_639, 15_100_000, 400
_FLY_DELAY, _FLY_WEIGHT = 18, 0.275e-3  # steps; V, of one contact


@dataclass(frozen=True)
class Measured:
    """A network to be measured. `drive` [V] has shape (ticks, inputs): what is written to the first neurons."""

    network: NetworkIR
    drive: NDArray[np.float64]

    @property
    def edges(self) -> Edges:
        """All edges, drawn once."""
        return self.network.projections[ALL].edges(0, self.network.n)

    def with_edges(self, edges: Edges) -> Measured:
        """The same cells, wired otherwise."""
        return replace(self, network=_given(self.network, lambda: edges))


def random_network(n: int, indegree: int) -> Measured:
    """`n` neurons with `indegree` sources each, delays of 1 to 2 ms."""
    network = _circuit(n, indegree)
    builder = network.projections[ALL].edges
    made = _given(network, lambda: builder(0, n))
    current = network.populations[CELLS].parameters["I"].values[:INPUTS]
    # within the range from which all currents are drawn, so that writing them does not change the rate
    noise = uniforms(stream(SEED, "bench/drive"), np.arange(_DRIVE_ROWS)[:, None], np.arange(len(current)))
    return Measured(made, current + 2e-4 * (noise - 0.5))


def fly_network() -> Measured:
    """138 639 neurons and 15.1 million edges with heavy-tailed degrees, of which about 400 are active.

    Out-degrees and attractiveness are lognormal, weights exponential. The active ones are those that are driven: what
    they send makes others leave rest, but hardly any fire.
    """
    network = _circuit(FLY_NEURONS, 1)
    cells = network.populations[CELLS]
    ids = np.arange(cells.n)
    chosen = ids < FLY_DRIVEN
    current = cells.parameters["I"]
    cells.parameters["I"] = replace(current, values=np.where(chosen, current.values + 1.5e-3, 0.0))
    rest = float(cells.parameters["V_rest"].values[0])
    cells.initial["v"] = np.where(chosen, cells.initial["v"], rest)
    made = _given(network, _heavy_tailed)
    return Measured(made, np.empty((1, 0)))


def _heavy_tailed() -> Edges:
    random = np.random.default_rng(SEED)
    out = random.lognormal(0.0, 1.0, FLY_NEURONS)
    attraction = np.cumsum(random.lognormal(0.0, 1.0, FLY_NEURONS))
    degrees = random.multinomial(FLY_EDGES, out / out.sum())
    pre = np.repeat(np.arange(FLY_NEURONS, dtype=np.int32), degrees)
    post = np.searchsorted(attraction, random.random(FLY_EDGES) * attraction[-1]).astype(np.int32)
    sign = np.where(random.random(FLY_NEURONS) < 0.8, 1.0, -1.0)[pre]
    weights = sign * (1 + np.floor(random.exponential(4.0, FLY_EDGES))) * _FLY_WEIGHT
    order = np.argsort(post.astype(np.int64) * FLY_NEURONS + pre, kind="stable")
    delay = np.full(FLY_EDGES, _FLY_DELAY, dtype=np.int32)
    return Edges(pre[order], post[order], delay, {"w": weights[order]})


def drawn_network(n: int, indegree: int, *, edges: bool = True) -> NetworkIR:
    """The random network with its edges drawn for each range of targets, or without any."""
    network = _circuit(n, indegree)
    if edges:
        return network
    nobody = np.empty(0, dtype=np.int32)
    none = Edges(nobody, nobody, nobody, {"w": np.empty(0)})
    return _given(network, lambda: none)


def _circuit(n: int, indegree: int) -> NetworkIR:
    given = {"parameters.n": str(n), "parameters.indegree": str(indegree)}
    document = load_document(_FILE, "circuit", given)
    assert isinstance(document.spec, CircuitSpec)
    parameters: dict[str, Value] = dict(document.parameters)
    return build(document.spec, seed=SEED, dt=DT, parameters=parameters, folder=document.folder)


def _given(network: NetworkIR, make: Callable[[], Edges]) -> NetworkIR:
    """The network with other edges, made when they are first asked for and kept."""
    kept: list[Edges] = []

    def edges(lo: int, hi: int) -> Edges:
        if not kept:
            kept.append(make())
        first, last = np.searchsorted(kept[0].post, (lo, hi))
        if last - first == len(kept[0]):
            return kept[0]
        part = slice(first, last)
        whole = kept[0]
        values = {key: column[part] for key, column in whole.parameters.items()}
        return Edges(whole.pre[part], whole.post[part], whole.delay[part], values)

    return replace(network, projections={ALL: replace(network.projections[ALL], edges=edges)})


def export(measured: Measured, folder: Path) -> None:
    """Write a network for other simulators: arrays (SI, delays in steps), edges sorted by source, and facts.json."""
    network, edges = measured.network, measured.edges
    cells = network.populations[CELLS]
    order = np.argsort(edges.pre, kind="stable")
    for name, column in (("pre", edges.pre), ("post", edges.post), ("delay", edges.delay)):
        np.save(folder / name, column[order])
    np.save(folder / "w", edges.parameters["w"][order])
    np.save(folder / "v", cells.initial["v"])
    np.save(folder / "I", cells.parameters["I"].values)
    np.save(folder / "drive", measured.drive)
    model = network.models[cells.model]
    assert model.refractory is not None
    facts = {"n": cells.n, "dt": network.dt, "refractory": float(model.refractory.evaluate({}).value)}
    facts |= {name: float(cells.parameters[name].values[0]) for name in ("tau_m", "tau_s", "V_rest", "V_th")}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
