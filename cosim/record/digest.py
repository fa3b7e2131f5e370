"""Running SHA-256 sums over what a run produced, independent of how it was cut into chunks and flushes.

Byte layouts (all little endian, no padding, C order):

``spikes``
    for every spike in the recorded order, its network step as int64 and its global neuron number as int32 (12 bytes).
``body``
    for every tick, the raw state row of the body as float64.
``state``
    for every recorded state series in the order of their names: the name in UTF-8, a zero byte and the SHA-256 (32
    bytes) of its rows as stored; then for every final state array in the order of their names: the name in UTF-8, a zero
    byte, the number of its values as int64, and the values as float64.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

SPIKE = np.dtype([("step", "<i8"), ("id", "<i4")])


class SpikeDigest:
    """Sum over (step, id) records."""

    def __init__(self) -> None:
        self._sum = hashlib.sha256()

    def update(self, steps: npt.NDArray[np.int64], ids: npt.NDArray[np.int32]) -> None:
        """Add spikes; both arrays have the same length."""
        records = np.empty(len(steps), SPIKE)
        records["step"] = steps
        records["id"] = ids
        self._sum.update(records.tobytes())

    def hexdigest(self) -> str:
        return self._sum.hexdigest()


class RowDigest:
    """Sum over rows of float64, gathered so that a row costs a copy and not a call of the hash function."""

    def __init__(self, gather: int = 256) -> None:
        self._sum = hashlib.sha256()
        self._gather = gather
        self._rows = np.empty((0, 0), "<f8")
        self._used = 0

    def update(self, row: npt.ArrayLike) -> None:
        """Add one row; all rows have the same number of values."""
        values = np.asarray(row, dtype="<f8").reshape(-1)
        if self._rows.shape[1] != values.size:
            self._drain()
            self._rows = np.empty((self._gather, values.size), "<f8")
        self._rows[self._used] = values
        self._used += 1
        if self._used == self._gather:
            self._drain()

    def hexdigest(self) -> str:
        self._drain()
        return self._sum.hexdigest()

    def _drain(self) -> None:
        self._sum.update(self._rows[: self._used].tobytes())
        self._used = 0


class StateDigest:
    """Sum over the recorded state series and the final state."""

    def __init__(self, names: list[str]) -> None:
        self._sums = {name: hashlib.sha256() for name in sorted(names)}

    def update(self, name: str, rows: npt.NDArray[Any]) -> None:
        """Add rows of the series ``name`` as stored (float64 or float32)."""
        self._sums[name].update(np.ascontiguousarray(rows, rows.dtype.newbyteorder("<")).tobytes())

    def hexdigest(self, final: Mapping[str, npt.ArrayLike] | None = None) -> str:
        total = hashlib.sha256()
        for name, one in self._sums.items():
            total.update(name.encode() + b"\0" + one.digest())
        for name, array in sorted((final or {}).items()):
            values = np.asarray(array, dtype="<f8").reshape(-1)
            total.update(name.encode() + b"\0" + np.int64(values.size).astype("<i8").tobytes() + values.tobytes())
        return total.hexdigest()
