"""Edges as eight bytes each: what delivery reads of an edge lies side by side.

Rows of other sources lie apart in memory, and waiting for them is most of what an event costs; an edge's target and its
parameters in one place are one wait instead of several. Parameters are stored as numbers of entries in a table of their
values, so that not a bit of them changes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.neural.arrays import SynapsesArrays

#: as cosim::Edge in engine.h
EDGE = np.dtype([("post", np.int32), ("code", np.uint16, (2,))])
#: parameters that fit into an edge, and values that a parameter may have
PARAMETERS, VALUES = 2, 2**16
#: below, everything is in the cache anyway
FEWEST = 50_000

#: writes codes (edges, 2) at a column, and the table; the number of values, or -1 if they are too many
Encode = Callable[[NDArray[np.float64], NDArray[np.void], int, NDArray[np.float64]], int]


@dataclass(frozen=True)
class Packed:
    """`edges` of type EDGE; `tables`: by parameter, its place in `code` and its values."""

    edges: NDArray[np.void]
    tables: dict[str, tuple[int, NDArray[np.float64]]]


def pack(edges: SynapsesArrays, constant: set[str], encode: Encode) -> Packed | None:
    """The edges packed; None where that is not possible or gains nothing.

    `constant` names the parameters that no statement writes to: only they can have a table.
    """
    columns = [(name, value) for name, value in edges.values.items() if isinstance(value, np.ndarray)]
    if len(edges) < FEWEST or not 1 <= len(columns) <= PARAMETERS or not constant.issuperset(n for n, _ in columns):
        return None
    packed = np.empty(len(edges), dtype=EDGE)
    tables = {}
    for place, (name, values) in enumerate(columns):
        table = np.empty(VALUES)
        count = encode(values, packed, place, table)
        if count < 0:
            return None
        tables[name] = place, table[:count].copy()
    packed["post"] = edges.post
    return Packed(packed, tables)
