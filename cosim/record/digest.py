"""Running sums over what a run produced, independent of how it was cut into chunks and flushes.

The sum of a stream of bytes is a chain of SHA-256, so that a run can be taken up again in another process (what hashlib
holds inside cannot be stored): the stream is cut into blocks of ``BLOCK`` bytes, wherever rows begin and end; the link
after a block is the SHA-256 of the link before it (32 bytes; nothing at the first block) and the block; the sum is the
SHA-256 of the last link and the bytes after the last whole block. A stream shorter than a block has its plain SHA-256.

Byte layouts (all little endian, no padding, C order):

``spikes``
    for every spike in the recorded order, its network step as int64 and its global neuron number as int32 (12 bytes).
``body``
    for every tick, the raw state row of the body as float64.
``state``
    for every recorded state series in the order of their names: the name in UTF-8, a zero byte and the sum (32
    bytes) of its rows as stored; then for every final state array in the order of their names: the name in UTF-8, a
    zero byte, the number of its values as int64, and the values as float64. The SHA-256 of all this is taken at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

BLOCK = 2**14
SPIKE = np.dtype([("step", "<i8"), ("id", "<i4")])


class Chain:
    """The sum of a stream of bytes, see above."""

    def __init__(self) -> None:
        self._link = b""
        self._rest = bytearray()

    def update(self, data: bytes | memoryview) -> None:
        """Add bytes."""
        self._rest += data
        whole = len(self._rest) - len(self._rest) % BLOCK
        if whole:
            with memoryview(self._rest) as rest:
                for at in range(0, whole, BLOCK):
                    step = hashlib.sha256(self._link)
                    step.update(rest[at : at + BLOCK])
                    self._link = step.digest()
            del self._rest[:whole]

    def digest(self) -> bytes:
        return hashlib.sha256(self._link + self._rest).digest()

    def hexdigest(self) -> str:
        return self.digest().hex()

    def position(self) -> npt.NDArray[np.uint8]:
        """All that is needed to go on: the number of bytes of the link (0 or 32), the link, the bytes after it."""
        return np.frombuffer(bytes([len(self._link)]) + self._link + self._rest, dtype=np.uint8)

    def resume(self, position: npt.NDArray[np.uint8]) -> None:
        """Go on from a ``position``."""
        content = position.tobytes()
        size = content[0]
        self._link, self._rest = content[1 : 1 + size], bytearray(content[1 + size :])


class RowSum(Chain):
    """Sum over rows of float64."""

    def extend(self, rows: npt.NDArray[np.float64]) -> None:
        """Add rows, shape (rows, values)."""
        self.update(np.ascontiguousarray(rows, "<f8").tobytes())


class StateDigest:
    """Sum over the recorded state series and the final state."""

    def __init__(self, names: list[str]) -> None:
        self.chains = {name: Chain() for name in sorted(names)}

    def update(self, name: str, rows: npt.NDArray[Any]) -> None:
        """Add rows of the series ``name`` as stored (float64 or float32)."""
        self.chains[name].update(np.ascontiguousarray(rows, rows.dtype.newbyteorder("<")).tobytes())

    def hexdigest(self, final: Mapping[str, npt.ArrayLike] | None = None) -> str:
        total = hashlib.sha256()
        for name, one in self.chains.items():
            total.update(name.encode() + b"\0" + one.digest())
        for name, array in sorted((final or {}).items()):
            values = np.asarray(array, dtype="<f8").reshape(-1)
            total.update(name.encode() + b"\0" + np.int64(values.size).astype("<i8").tobytes() + values.tobytes())
        return total.hexdigest()
