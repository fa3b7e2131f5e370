"""xarray views of a result; xarray is an optional dependency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cosim.errors import UserError
from cosim.record.extras import need

if TYPE_CHECKING:
    import xarray

    from cosim.record.result import Result


def dataset(result: Result, group: str) -> xarray.Dataset:
    """The group ``group`` of ``result`` as a Dataset with coordinates, cut to the last whole flush."""
    library = need("xarray", "xarray")
    if group == "spikes":
        time, ids = result.spikes()
        spikes: xarray.Dataset = library.Dataset({"time": ("spike", time, {"units": "s"}), "id": ("spike", ids)})
        return spikes
    names = [name for name in result.series if name.rpartition("/")[0] == group]
    if not names:
        groups = sorted({name.rpartition("/")[0] for name in result.series})
        raise UserError(f"{result.path}: nothing was recorded in {group}; there are {', '.join(groups) or 'no groups'}")
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {}
    for name in names:
        trace = result.trace(name)
        variables[name.rpartition("/")[2]] = (trace.dims, trace.values, {"units": trace.unit} if trace.unit else {})
        coordinates[trace.dims[0]] = (trace.dims[0], trace.time, {"units": "s"})
        for dim, labels in zip(trace.dims[1:], trace.labels, strict=True):
            coordinates[dim] = (dim, list(labels))
    found: xarray.Dataset = library.Dataset(variables, coordinates)
    return found
