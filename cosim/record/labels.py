"""The parts of the store that stand from the start: labels of dimensions and the table of populations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.errors import CosimError
from cosim.record.layout import LABELS, PopulationLayout
from cosim.record.store import Store


def write_labels(store: Store, name: str, labels: Sequence[str] | Sequence[int]) -> None:
    """Write the coordinate array ``name`` (group/dimension): variable-length strings or int64."""
    texts = [str(label) for label in labels]
    whole = not any(isinstance(label, str) for label in labels)
    store.column(name, np.asarray(labels, dtype=np.int64) if whole else texts, name.rpartition("/")[2])


def write_populations(store: Store, populations: Sequence[PopulationLayout]) -> None:
    """Write the group ``network``: its attribute ``populations`` lists name, first, n and spiking.

    For each population the group ``network/<name>`` holds what is known per neuron, dimension "neuron": ``side`` and
    ``cell`` (labels) and the positions in metres.
    """
    table = [{"name": one.name, "first": one.first, "n": one.n, "spiking": one.spiking} for one in populations]
    store.group("network", {"populations": table})
    for one in populations:
        store.group(f"network/{one.name}")
        columns: dict[str, Sequence[str] | npt.NDArray[Any]] = {
            key: np.asarray(value, dtype=np.float64) for key, value in one.positions.items()
        }
        for key in LABELS:
            if (labels := getattr(one, key)) is not None:
                columns[key] = list(labels)
        for key, column in columns.items():
            if np.shape(column) != (one.n,):
                raise CosimError(f"population {one.name}: {key} has shape {np.shape(column)}, expected ({one.n},)")
            store.column(f"network/{one.name}/{key}", column, "neuron", {} if key in LABELS else {"units": "m"})
