"""One checkpoint in one file: written whole or not at all, and read only if every byte is right.

The bytes: ``MAGIC``; the length of the header (uint64, little endian); the header, JSON with `meta` and the name, type
and shape of each array; the arrays, one after the other, little endian in C order; the SHA-256 (32 bytes) of all that.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.errors import CosimError

MAGIC = b"cosim checkpoint 1\n"
_SUM = hashlib.sha256().digest_size


class DamagedError(CosimError):
    """A checkpoint that cannot be used, and why."""


@dataclass(frozen=True)
class Checkpoint:
    """`meta` says of what run and when (JSON), `arrays` hold the state; they are read-only."""

    path: Path
    meta: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def tick(self) -> int:
        """The tick that comes next."""
        return int(self.meta["tick"])

    def part(self, prefix: str) -> dict[str, NDArray[Any]]:
        """The arrays under ``prefix/``, by the rest of their names."""
        start = f"{prefix}/"
        return {name.removeprefix(start): array for name, array in self.arrays.items() if name.startswith(start)}


def write(path: Path, meta: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> int:
    """Write a checkpoint to a name of its own, bring it to the disk, and move it into place; returns its size in bytes.

    Raises CosimError if that fails.
    """
    plain = {name: np.asarray(array, dtype=array.dtype.newbyteorder("<"), order="C") for name, array in arrays.items()}
    table = [[name, array.dtype.str, list(array.shape)] for name, array in plain.items()]
    header = json.dumps({"meta": meta, "arrays": table}).encode()
    partial = path.with_name(path.name + ".partial")
    pieces: list[bytes | memoryview] = [MAGIC, len(header).to_bytes(8, "little"), header]
    # as flat bytes: not every type and shape has a buffer that can be hashed
    pieces += [array.reshape(-1).view(np.uint8).data for array in plain.values() if array.size]
    total = hashlib.sha256()
    size = 0
    try:
        with partial.open("wb") as file:
            for piece in pieces:
                total.update(piece)
                size += file.write(piece)
            size += file.write(total.digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CosimError(f"{path}: cannot write the checkpoint: {error.strerror or error}") from error
    return size


def read(path: Path) -> Checkpoint:
    """Read a checkpoint. Raises DamagedError, naming it, if it is not exactly what was written."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DamagedError(f"{path} cannot be read: {error.strerror or error}") from error
    if not content.startswith(MAGIC):
        raise DamagedError(f"{path} is no checkpoint of this version of cosim")
    body = memoryview(content)[:-_SUM]
    if hashlib.sha256(body).digest() != content[-_SUM:]:
        raise DamagedError(f"{path} is damaged: its SHA-256 is not the one in it")
    at = len(MAGIC) + 8
    end = at + int.from_bytes(content[len(MAGIC) : at], "little")
    header = json.loads(content[at:end])
    arrays: dict[str, NDArray[Any]] = {}
    for name, kind, shape in header["arrays"]:
        dtype = np.dtype(kind)
        count = int(np.prod(shape, dtype=np.int64))
        arrays[name] = np.frombuffer(body, dtype=dtype, count=count, offset=end).reshape(shape)
        end += count * dtype.itemsize
    return Checkpoint(path, header["meta"], arrays)
