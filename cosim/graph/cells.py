"""Which cells of a connectome the neurons of a population are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.data import Connectome
from cosim.spec.circuit import MemberSpec
from cosim.spec.units import UnitError

I64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Cells:
    """Neuron k of a population is row ``rows[k]`` of the table of cells; ascending."""

    connectome: Connectome
    rows: I64

    @property
    def ids(self) -> list[str]:
        """The id of every neuron's cell, as text."""
        return [str(one) for one in self.connectome.ids[self.rows].tolist()]

    @cached_property
    def place(self) -> NDArray[np.int32]:
        """The neuron of every cell of the connectome, -1 for those that are not in the population."""
        place = np.full(self.connectome.n, -1, dtype=np.int32)
        place[self.rows] = np.arange(len(self.rows), dtype=np.int32)
        return place

    def matching(self, conditions: Mapping[str, Any]) -> NDArray[np.bool_]:
        """Which neurons' cells meet conditions on their columns, shape (n,). Raises UnitError."""
        return self.connectome.matching(conditions, self.rows)

    def find(self, cells: Sequence[str | int], population: str) -> I64:
        """Neurons of cells by their ids. Raises UnitError for a cell that there is not, or not in the population."""
        found = self.place[self.connectome.find(cells)].astype(np.int64)
        absent = [one for one, place in zip(cells, found, strict=True) if place < 0]
        if absent:
            raise UnitError(f"'{absent[0]}' is a cell of {self.connectome.name}, but not of population '{population}'")
        return found


def choose(connectome: Connectome, wanted: MemberSpec) -> Cells:
    """The cells that a population asks for. Raises UnitError, also where there are none."""
    mask = connectome.select(wanted)
    if wanted.hops is not None:
        mask &= connectome.reach(wanted.hops)
    if not mask.any():
        raise UnitError(f"no cell of {connectome.name} meets all conditions")
    return Cells(connectome, np.flatnonzero(mask))


def hashes(populations: Iterable[Cells | None]) -> dict[str, dict[str, str]]:
    """SHA-256 of the files behind populations, by connectome and file."""
    return {cells.connectome.name: dict(cells.connectome.hashes) for cells in populations if cells is not None}
