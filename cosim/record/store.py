"""A zarr v3 store as files: the documents of groups and arrays, and how a chunk becomes bytes.

They are written here and not through the zarr library, which takes some milliseconds an array and a fifth of a second
to be imported, all of it before the first tick. What is written is in the zarr v3 specification (numbers: little-endian
in C order, through Blosc with shuffled bytes and zstd) or, for text, in zarr's own extension to it (``string``,
``vlen-utf8``). The tests read it with zarr and xarray.
"""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.errors import CosimError

#: compression level of zstd: higher ones cost four times the time for a few per cent
_LEVEL = 1


def replace_json(path: Path, content: Any, *, indent: int | None = None) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part of it."""
    replace_bytes(path, json.dumps(content, indent=indent, allow_nan=False).encode())


def replace_bytes(path: Path, content: bytes) -> None:
    """The same for any content."""
    part = path.with_name(path.name + ".partial")
    part.write_bytes(content)
    os.replace(part, path)


@lru_cache(maxsize=1)
def _blosc() -> Any:
    from numcodecs import Blosc  # type: ignore[import-untyped]

    return Blosc(cname="zstd", clevel=_LEVEL, shuffle=Blosc.SHUFFLE)


def encode(values: npt.NDArray[Any] | bytes) -> bytes:
    """A chunk as stored: little-endian numbers or coded texts."""
    encoded: bytes = _blosc().encode(values)
    return encoded


def decode(content: bytes, dtype: str) -> npt.NDArray[Any]:
    """The numbers of a chunk, without its shape."""
    return np.frombuffer(_blosc().decode(content), np.dtype(dtype).newbyteorder("<"))


def _texts(labels: Sequence[str]) -> bytes:
    """vlen-utf8: the number of texts, then length and bytes of each; lengths are uint32, little-endian."""
    coded = [label.encode() for label in labels]
    return struct.pack("<I", len(coded)) + b"".join(struct.pack("<I", len(text)) + text for text in coded)


class Store:
    """The folder of a store. Making a group or an array also makes the groups in which it lies."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._groups: set[str] = set()

    def create(self) -> None:
        """An empty store; one that was there is deleted. Raises CosimError."""
        if self.path.exists():
            shutil.rmtree(self.path)
        self._groups.clear()
        self.group("")

    def group(self, name: str, attributes: Mapping[str, Any] | None = None) -> None:
        """Make a group. Raises CosimError."""
        self._groups.add(name)
        self._document(name, {"attributes": dict(attributes or {}), "zarr_format": 3, "node_type": "group"})

    def array(
        self, name: str, shape: tuple[int, ...], chunk: tuple[int, ...], dtype: str, dimensions: Sequence[str],
        attributes: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Make an array without values: `dtype` is that of numbers, or ``string``. Raises CosimError."""
        texts = dtype == "string"
        blosc = {"typesize": 1 if texts else np.dtype(dtype).itemsize, "cname": "zstd", "clevel": _LEVEL}
        first = {"name": "vlen-utf8"} if texts else {"name": "bytes", "configuration": {"endian": "little"}}
        document = {
            "shape": list(shape),
            "data_type": dtype,
            # an extent of zero is not allowed, a row without labels is (a sensor that nothing carries)
            "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [max(n, 1) for n in chunk]}},
            "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
            "fill_value": "" if texts else "NaN" if np.dtype(dtype).kind == "f" else 0,
            "codecs": [first, {"name": "blosc", "configuration": {**blosc, "shuffle": "shuffle", "blocksize": 0}}],
            "attributes": dict(attributes or {}),
            "dimension_names": list(dimensions),
            "zarr_format": 3,
            "node_type": "array",
        }
        self._document(name, document)

    def column(
        self, name: str, values: Sequence[str] | npt.NDArray[Any], dimension: str,
        attributes: Mapping[str, Any] | None = None,
    ) -> None:  # fmt: skip
        """Make an array of one dimension with all its values, texts or numbers. Raises CosimError."""
        if isinstance(values, np.ndarray):
            dtype = str(values.dtype)
            content: Any = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
        else:
            dtype, content = "string", _texts(values)
        size = (len(values),)
        if len(values):
            self._write(self.path / name / "c" / "0", encode(content))
        self.array(name, size, size, dtype, (dimension,), attributes)

    def _document(self, name: str, document: dict[str, Any]) -> None:
        parent = name.rpartition("/")[0]
        if name and parent not in self._groups:
            self.group(parent)
        self._write(self.path / name / "zarr.json", json.dumps(document, allow_nan=False).encode())

    def _write(self, file: Path, content: bytes) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(file, content)
        except OSError as error:
            raise CosimError(f"{file}: cannot write the record: {error.strerror or error}") from error
