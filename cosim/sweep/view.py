"""xarray views of a sweep; xarray is an optional dependency."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from cosim.analyse.catalogue import describe
from cosim.record.extras import need
from cosim.sweep.table import Place, Table

if TYPE_CHECKING:
    import xarray


def dataset(table: Table) -> xarray.Dataset:
    """The metrics over arm, axes and seed; with the axes as one dimension ``point`` where they are no full grid.

    A variable a metric (float64, NaN for what does not exist) and ``status`` ("" where nothing is planned). Coordinates
    of numeric axes are in SI units, with the text as written beside them (``PATH as written``).
    """
    library = need("xarray", "xarray")
    places = table.places
    grid = len(places) == math.prod(len(axis.values) for axis in table.axes) and all(
        None not in place for place in places
    )
    dims = ("arm", *(axis.path for axis in table.axes), "seed") if grid else ("arm", "point", "seed")
    middle = tuple(len(axis.values) for axis in table.axes) if grid else (len(places),)
    shape = (len(table.arms), *middle, len(table.seeds))
    arms, seeds = ({name: i for i, name in enumerate(names)} for names in (table.arms, table.seeds))
    number = {place: (i,) for i, place in enumerate(places)}
    status = np.full(shape, "", dtype="<U8")
    values = {name: np.full(shape, np.nan) for name in table.metrics}
    for row in table.rows:
        at: tuple[Any, ...] = row.place if grid else number[row.place]
        spot = (arms[row.arm], *at, seeds[row.seed])
        status[spot] = row.status
        for name in table.metrics:
            values[name][spot] = row.metrics.get(name, math.nan)
    variables: dict[str, Any] = {"status": (dims, status)}
    for name in table.metrics:
        known = describe(name.partition("[")[0])
        variables[name] = (dims, values[name], {"units": known.unit, "long_name": known.title} if known else {})
    coordinates: dict[str, Any] = {"arm": list(table.arms), "seed": list(table.seeds)}
    for k in range(len(table.axes)):
        coordinates |= _coordinates(table, k, places, grid)
    found: xarray.Dataset = library.Dataset(variables, coordinates, {"title": table.title})
    return found


def _coordinates(table: Table, k: int, places: list[Place], grid: bool) -> dict[str, Any]:
    axis = table.axes[k]
    numbers = list(range(len(axis.values))) if grid else [place[k] for place in places]
    dim = axis.path if grid else "point"
    texts = ["" if i is None else axis.values[i] for i in numbers]
    if not axis.numeric:
        return {axis.path: (dim, texts)}
    si = [math.nan if i is None else axis.si[i] for i in numbers]
    return {axis.path: (dim, si, {"units": axis.unit or "1"}), f"{axis.path} as written": (dim, texts)}
