"""Lesions as data: cut projections, transected positions, silenced neurons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import NetworkIR, PopulationIR
from cosim.graph.random import F64, stream, uniforms
from cosim.spec.experiment import AblateSpec, Select, Where
from cosim.spec.units import UnitError, suggest


@dataclass(frozen=True)
class Lesions:
    """What is gone from the start (`cut`, `transect`: edges never built) and what goes later (needs a switch in the
    synapse)."""

    cut: frozenset[str] = frozenset()
    transect: tuple[float, ...] = ()
    cut_later: frozenset[str] = frozenset()
    transect_later: bool = False

    @classmethod
    def of(cls, ablations: list[AblateSpec]) -> Lesions:
        """The part of a list of ablations that concerns edges."""
        cuts = [a for a in ablations if a.cut is not None and not a.cut.startswith("wires.")]
        slices = [a for a in ablations if a.transect is not None]
        return cls(
            frozenset(a.cut for a in cuts if not a.at and a.cut is not None),
            tuple(a.transect for a in slices if not a.at and a.transect is not None),
            frozenset(a.cut for a in cuts if a.at and a.cut is not None),
            any(a.at for a in slices),
        )

    def keep(
        self, source: PopulationIR, target: PopulationIR, pre: NDArray[np.int64], post: NDArray[np.int64]
    ) -> NDArray[np.bool_] | None:
        """Which edges a transection from the start leaves; None for all."""
        if not self.transect:
            return None
        kept = np.ones(len(pre), dtype=bool)
        for position in self.transect:
            kept &= ~crosses(source.y, target.y, pre, post, position)
        return kept


def crosses(
    source_y: F64, target_y: F64, pre: NDArray[np.integer], post: NDArray[np.integer], position: float
) -> NDArray[np.bool_]:
    """Edges whose two ends, at `source_y[pre]` and `target_y[post]`, lie on different sides of `position`, all in m."""
    return np.asarray((source_y < position)[pre] != (target_y < position)[post])


def select(network: NetworkIR, wanted: Select) -> dict[str, NDArray[np.int64]]:
    """Ids within their populations of the selected neurons, by population.

    Raises UnitError for a population, tag, side, pool, segment or id that does not exist.
    """
    if wanted.population is not None:
        if wanted.population not in network.populations:
            hint = suggest(wanted.population, network.populations)
            raise UnitError(f"no population '{wanted.population}'{hint}")
        names = [wanted.population]
    else:
        names = [p.name for p in network.populations.values() if wanted.tag in p.tags]
        if not names:
            tags = sorted({t for p in network.populations.values() for t in p.tags})
            raise UnitError(f"no population has the tag '{wanted.tag}'{suggest(str(wanted.tag), tags)}")
    chosen: dict[str, NDArray[np.int64]] = {}
    for name in names:
        population = network.populations[name]
        ids = np.flatnonzero(where_mask(population, wanted))
        if wanted.fraction is not None:
            ids = ids[_share(network.seed, population, ids, wanted.fraction)]
        chosen[name] = ids
    return chosen


def _share(seed: int, population: PopulationIR, ids: NDArray[np.int64], fraction: float) -> NDArray[np.int64]:
    """Positions of the `fraction` of ids with the smallest random numbers: nested, so that 25 % are among the 50 %."""
    order = np.argsort(uniforms(stream(seed, f"fraction/{population.name}"), ids), kind="stable")
    return np.sort(order[: round(fraction * len(ids))])


def where_mask(population: PopulationIR, where: Where) -> NDArray[np.bool_]:
    """Which neurons of a population lie where; shape (n,). Raises UnitError for a side, pool, id or cell that is not
    there."""
    mask = np.ones(population.n, dtype=bool)
    if where.side is not None:
        if where.side not in population.sides:
            raise UnitError(
                f"population '{population.name}' has no side '{where.side}'{suggest(where.side, population.sides)}"
            )
        mask &= population.side == population.sides.index(where.side)
    if where.pools is not None:
        for pool in where.pools:
            if pool not in population.pools:
                raise UnitError(f"population '{population.name}' has no pool '{pool}'{suggest(pool, population.pools)}")
        mask &= np.isin(population.pool, [population.pools.index(p) for p in where.pools])
    if where.segments is not None:
        absent = sorted(set(where.segments) - set(population.segment.tolist()))
        if absent:
            raise UnitError(f"population '{population.name}' has no neurons in segment {absent[0]}")
        mask &= np.isin(population.segment, where.segments)
    if where.y is not None:
        mask &= (population.y >= where.y[0]) & (population.y < where.y[1])
    if where.neurons is not None:
        wrong = [i for i in where.neurons if not 0 <= i < population.n]
        if wrong:
            raise UnitError(
                f"population '{population.name}' has no neuron {wrong[0]}, expected 0 to {population.n - 1}"
            )
        listed = np.zeros(population.n, dtype=bool)
        listed[where.neurons] = True
        mask &= listed
    if where.cells is not None or where.select is not None:
        mask &= _cells_mask(population, where)
    return mask


def _cells_mask(population: PopulationIR, where: Where) -> NDArray[np.bool_]:
    if population.cells is None:
        raise UnitError(f"population '{population.name}' is not made of the cells of a connectome")
    mask = np.ones(population.n, dtype=bool)
    if where.cells is not None:
        mask[:] = False
        mask[population.cells.find(where.cells, population.name)] = True
    if where.select is not None:
        mask &= population.cells.matching(where.select)
    return mask
