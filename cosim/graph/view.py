"""Networks and connectomes as networkx graphs, for its algorithms and for drawing.

A graph takes about a kilobyte an edge: for millions of edges use the arrays (``ProjectionIR.edges``,
``Connectome.rows``).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.connectome.columns import Column, Texts
from cosim.connectome.data import Connectome
from cosim.graph.ir import ContinuousIR, NetworkIR, PopulationIR, ProjectionIR

if TYPE_CHECKING:
    import networkx


def to_networkx(what: NetworkIR | Connectome) -> networkx.MultiDiGraph:
    """A directed multigraph of a network or a connectome (``network_graph``, ``connectome_graph``)."""
    return connectome_graph(what) if isinstance(what, Connectome) else network_graph(what)


def network_graph(network: NetworkIR) -> networkx.MultiDiGraph:
    """A graph of a network, after lesions from the start.

    Nodes are global ids, with `population`, `index`, `model`, `tags`, `y` [m] and, where there are any, `side`, `pool`,
    `cell` and the columns of the connectome. Edges have `projection`, `kind` (spikes or continuous), `delay` [s] (of
    spikes) and the parameters, SI.
    """
    import networkx

    graph = networkx.MultiDiGraph(name=network.name, seed=network.seed)
    for population in network.populations.values():
        graph.add_nodes_from(_neurons(population))
    joined: dict[str, ProjectionIR | ContinuousIR] = {**network.projections, **network.continuous}
    for name, projection in joined.items():
        source, target = network.populations[projection.source], network.populations[projection.target]
        edges = projection.edges(0, target.n)
        kind = "spikes" if name in network.projections else "continuous"
        columns: dict[str, list[Any]] = {key: values.tolist() for key, values in edges.parameters.items()}
        if kind == "spikes":
            columns["delay"] = (edges.delay * network.dt).tolist()
        ends = zip((edges.pre + source.first).tolist(), (edges.post + target.first).tolist(), strict=True)
        for (pre, post), row in zip(ends, _rows(columns, len(edges)), strict=True):
            graph.add_edge(pre, post, projection=name, kind=kind, **row)
    return graph


def _neurons(population: PopulationIR) -> Iterator[tuple[int, dict[str, Any]]]:
    columns: dict[str, list[Any]] = {"y": population.y.tolist()}
    if population.sides:
        columns["side"] = [population.sides[side] for side in population.side]
    if population.pools:
        columns["pool"] = [population.pools[pool] for pool in population.pool]
    if population.cells is not None:
        cells = population.cells
        own = {name: _listed(column.at(cells.rows)) for name, column in cells.connectome.nodes.items()}
        columns = {**own, **columns, "cell": list(cells.ids)}
    shared = {"population": population.name, "model": population.model, "tags": population.tags}
    for index, row in enumerate(_rows(columns, population.n)):
        yield population.first + index, {**shared, "index": index, **row}


def connectome_graph(connectome: Connectome) -> networkx.MultiDiGraph:
    """A graph of a connectome: nodes are the ids of cells (numbers or texts), with their columns; so have edges."""
    import networkx

    graph = networkx.MultiDiGraph(name=connectome.name)
    ids = connectome.ids.tolist()
    cells = {name: _listed(column) for name, column in connectome.nodes.items()}
    graph.add_nodes_from(zip(ids, _rows(cells, connectome.n), strict=True))
    for first, last in connectome.blocks():
        rows = connectome.rows(np.arange(first, last))
        columns = {name: _listed(column) for name, column in rows.columns.items()}
        ends = zip(rows.pre.tolist(), rows.post.tolist(), strict=True)
        graph.add_edges_from(
            (ids[pre], ids[post], row) for (pre, post), row in zip(ends, _rows(columns, len(rows)), strict=True)
        )
    return graph


def _listed(column: Column) -> list[Any]:
    return column.texts() if isinstance(column, Texts) else list(column.values.tolist())


def _rows(columns: dict[str, list[Any]], n: int) -> Iterator[dict[str, Any]]:
    """The columns row by row, as mappings."""
    if not columns:
        yield from ({} for _ in range(n))
        return
    for values in zip(*columns.values(), strict=True):
        yield dict(zip(columns, values, strict=True))
