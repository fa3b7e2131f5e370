"""The snapshot of a network from those of its parts, and back: the format does not know how many ranks there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR
from cosim.mpi.partition import Partition
from cosim.neural.arrays import SynapsesArrays
from cosim.neural.snapshot import SPIKES_AND_CLOCK, State

#: (source, delay, target) of an object's edges in its order; neurons by global id
EdgeKeys = tuple[NDArray[np.integer], NDArray[np.int32], NDArray[np.integer]]


@dataclass(frozen=True)
class Layout:
    """How one rank's arrays lie in those of the network.

    `extent[key]`: ("one",), ("neurons", model) or ("edges", object); `edges[object]`: whose the edges are.
    """

    extent: dict[str, tuple[str, ...]]
    edges: dict[str, EdgeKeys]


def edge_keys(edges: SynapsesArrays, targets: NDArray[np.int64]) -> EdgeKeys:
    """The keys of one object's edges; `targets`: global ids of the target's group."""
    return edges.sources[edges.pre], edges.delay, targets[edges.post]


def _places(layouts: Sequence[Layout], name: str) -> list[NDArray[np.int64]]:
    """By rank: where its edges lie in the object of the whole network, in the order (source, delay, target)."""
    parts = [layout.edges.get(name) for layout in layouts]
    sizes = [len(part[0]) if part is not None else 0 for part in parts]
    columns = [np.concatenate([part[k] for part in parts if part is not None]) for k in range(3)]
    # edges alike in all three have one target and so are of one rank: a stable sort keeps their order
    order = np.lexsort((columns[2], columns[1], columns[0]))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return np.split(place, np.cumsum(sizes)[:-1])


def _neurons(parts: Partition, network: NetworkIR, model: str) -> list[NDArray[np.int64]]:
    """By rank: where its neurons lie in the group of the whole network."""
    found: list[list[NDArray[np.int64]]] = [[] for _ in range(parts.ranks)]
    at = 0
    for population in network.populations.values():
        if population.model == model:
            bounds = parts.bounds[population.name]
            for rank in range(parts.ranks):
                found[rank].append(at + np.arange(bounds[rank], bounds[rank + 1]))
            at += population.n
    return [np.concatenate(part) for part in found]


def _all_places(layouts: Sequence[Layout], parts: Partition, network: NetworkIR) -> dict[tuple[str, ...], Any]:
    extents = {extent for layout in layouts for extent in layout.extent.values()}
    return {
        extent: _neurons(parts, network, extent[1]) if extent[0] == "neurons" else _places(layouts, extent[1])
        for extent in extents
        if extent[0] != "one"
    }


def merge(found: Sequence[tuple[State, Layout]], parts: Partition, network: NetworkIR) -> State:
    """The snapshot of a network from the (snapshot, layout) of every rank; without the last tick's spikes."""
    layouts = [layout for _, layout in found]
    places = _all_places(layouts, parts, network)
    saved: State = {"clock/step": found[0][0]["clock/step"]}
    for key in {key: None for layout in layouts for key in layout.extent}:
        holders = [(rank, state[key]) for rank, (state, _) in enumerate(found) if key in state]
        extent = next(layout.extent[key] for layout in layouts if key in layout.extent)
        if extent[0] == "one":
            saved[key] = holders[0][1]
            continue
        whole = np.empty(sum(len(place) for place in places[extent]), dtype=holders[0][1].dtype)
        for rank, values in holders:
            whole[places[extent][rank]] = values
        saved[key] = whole
    steps = np.concatenate([state["flight/step"] for state, _ in found])
    ids = np.concatenate([state["flight/id"] for state, _ in found])
    order = np.lexsort((ids, steps))
    saved["flight/step"], saved["flight/id"] = steps[order], ids[order]
    return saved


def split(
    saved: Mapping[str, NDArray[Any]], layouts: Sequence[Layout], parts: Partition, network: NetworkIR
) -> list[State]:
    """What every rank restores. Keys that no rank knows go to rank 0, which refuses them."""
    places = _all_places(layouts, parts, network)
    common = {key: saved[key] for key in SPIKES_AND_CLOCK if key in saved}
    out: list[State] = []
    for rank, layout in enumerate(layouts):
        part: State = dict(common)
        for key, extent in layout.extent.items():
            if key in saved:
                whole = np.asarray(saved[key])
                size = 1 if extent[0] == "one" else sum(len(place) for place in places[extent])
                # another shape is passed on as it is: the rank says what is wrong with it
                fits = extent[0] != "one" and whole.shape == (size,)
                part[key] = whole[places[extent][rank]] if fits else whole
        out.append(part)
    known = {key for layout in layouts for key in layout.extent}
    out[0] |= {key: value for key, value in saved.items() if key not in known and key not in common}
    return out


def spiking(network: NetworkIR) -> NDArray[np.int64]:
    """Global ids of all neurons that may spike, on whatever rank."""
    members = [p for p in network.populations.values() if network.models[p.model].threshold is not None]
    return np.concatenate([np.empty(0, dtype=np.int64), *(np.arange(p.first, p.last) for p in members)])
