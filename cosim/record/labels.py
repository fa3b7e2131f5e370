"""The parts of the store that stand from the start: labels of dimensions and the table of populations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import zarr

from cosim.errors import CosimError
from cosim.record.layout import PopulationLayout


def write_labels(root: zarr.Group, name: str, labels: Sequence[str] | Sequence[int]) -> None:
    """Write the coordinate array ``name`` (group/dimension): variable-length strings or int64."""
    texts = any(isinstance(label, str) for label in labels)
    array = root.create_array(
        name,
        shape=(len(labels),),
        chunks=(max(len(labels), 1),),
        dtype="str" if texts else "int64",
        dimension_names=(name.rpartition("/")[2],),
    )
    if len(labels):
        array[:] = np.asarray(labels, dtype=str if texts else np.int64)


def write_populations(root: zarr.Group, populations: Sequence[PopulationLayout]) -> None:
    """Write the group ``network``: its attribute ``populations`` lists name, first, n and spiking.

    For each population the group ``network/<name>`` holds what is known per neuron, dimension "neuron": ``side``
    (labels) and the positions in metres.
    """
    network = root.create_group("network")
    table: list[dict[str, Any]] = []
    for one in populations:
        table.append({"name": one.name, "first": one.first, "n": one.n, "spiking": one.spiking})
        group = network.create_group(one.name)
        columns: dict[str, Any] = {key: np.asarray(value, dtype=np.float64) for key, value in one.positions.items()}
        if one.side is not None:
            columns["side"] = np.asarray(one.side, dtype=str)
        for key, column in columns.items():
            if column.shape != (one.n,):
                raise CosimError(f"population {one.name}: {key} has shape {column.shape}, expected ({one.n},)")
            dtype = "str" if key == "side" else "float64"
            attributes: dict[str, Any] = {} if key == "side" else {"units": "m"}
            array = group.create_array(
                key,
                shape=(one.n,),
                chunks=(max(one.n, 1),),
                dtype=dtype,
                dimension_names=("neuron",),
                attributes=attributes,
            )
            if one.n:
                array[:] = column
    network.attrs["populations"] = table
