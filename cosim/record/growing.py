"""Arrays of a zarr v3 store that grow along their first dimension and stay readable if the process is killed.

The order of writing makes the store consistent at every moment: a chunk is written first, to a name of its own and then
moved into place, and only then the array's ``zarr.json`` is replaced by one with the larger shape. A reader therefore
never sees a row that is not there. A chunk that is not yet full is written again with more rows; the rows that it
already showed do not change.

The chunk files are written here and not through ``zarr.Array``, which could not write rows beyond its shape; what they
hold is told in cosim.record.store.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.errors import CosimError
from cosim.record.store import Store, decode, encode, replace_bytes, replace_json


def last_chunk(folder: Path, rows: int) -> npt.NDArray[Any] | None:
    """The chunk of the array at `folder` that is full up to `rows`, None if that is a whole number of chunks.

    Raises CosimError unless the array has its first `rows` rows: all chunks are there, and the last one can be read.
    """
    try:
        document = json.loads((folder / "zarr.json").read_text(encoding="utf-8"))
        shape, chunk = document["shape"], document["chunk_grid"]["configuration"]["chunk_shape"]
        if shape[0] < rows:
            raise CosimError(f"{folder} holds {shape[0]} rows of {rows}")
        if 0 in shape[1:]:
            return None
        name = "/".join(["{}", *("0" for _ in shape[1:])])
        files = [folder / "c" / name.format(i) for i in range(-(-rows // chunk[0]))]
        for file in files:
            if not file.stat().st_size:
                raise CosimError(f"{file} is empty")
        if rows % chunk[0] == 0:
            return None
        return decode(files[-1].read_bytes(), document["data_type"]).reshape(chunk)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        raise CosimError(f"{folder} cannot be read: {error}") from error


class GrowingArray:
    """A zarr array of shape (rows, *shape); rows come through a buffer of one chunk.

    ``sink``, if given, is called with every row once, in order, in blocks of some rows (for a running hash).
    ``resume`` is the number of rows after which an array of the store is to go on; None makes a new one. What was
    written beyond them stays visible until ``publish``; ``trim`` then deletes its files. ``submit`` is given what is to
    be done with files, to be done in that order.
    """

    def __init__(
        self,
        store: Store,
        name: str,
        *,
        shape: tuple[int, ...],
        chunk: int,
        dtype: str,
        dimensions: Sequence[str],
        attributes: dict[str, Any] | None = None,
        sink: Callable[[npt.NDArray[Any]], None] | None = None,
        resume: int | None = None,
        submit: Callable[[Callable[[], None]], None] = lambda job: job(),
    ) -> None:
        fill = float("nan") if np.dtype(dtype).kind == "f" else 0
        little = np.dtype(dtype).newbyteorder("<")
        if resume is None:
            store.array(
                name,
                shape=(0, *shape),
                chunk=(chunk, *shape),
                dtype=dtype,
                dimensions=dimensions,
                attributes=attributes,
            )
        self._file = store.path / name / "zarr.json"
        self._document: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        self._folder = store.path / name / "c"
        self._chunk_name = "/".join(["{}", *("0" for _ in shape)])
        self.name = name
        self._chunk = chunk
        self._sink = sink
        self._buffer: npt.NDArray[Any] = np.full((chunk, *shape), fill, dtype=little)
        self._spare: list[npt.NDArray[Any]] = []
        self._used = 0
        self._start = 0
        self._written = 0
        self._submit = submit
        self._published = self._document["shape"][0]
        if resume is not None:
            self._go_on(resume)

    def _go_on(self, rows: int) -> None:
        """Take up a stored array after `rows` rows; nothing is changed in the store."""
        chunk = last_chunk(self._file.parent, rows)
        self._start = rows - rows % self._chunk
        self._used = rows % self._chunk
        self._written = rows
        if chunk is not None:
            self._buffer[...] = chunk

    def trim(self) -> None:
        """Delete the chunks that lie wholly beyond the rows."""
        first = -(-self._written // self._chunk)
        for file in self._folder.iterdir() if self._folder.is_dir() else ():
            number = file.name.partition(".")[0]
            if number.isdigit() and int(number) >= first:
                shutil.rmtree(file) if file.is_dir() else file.unlink()

    @property
    def rows(self) -> int:
        """Rows received so far."""
        return self._start + self._used

    def append(self, row: Any) -> None:
        """Take one row. No array is allocated; a full chunk is written."""
        self._buffer[self._used] = row
        self._used += 1
        if self._used == self._chunk:
            self._turn()

    def extend(self, rows: npt.NDArray[Any]) -> None:
        """Take an array of rows."""
        taken = 0
        while taken < len(rows):
            n = min(len(rows) - taken, self._chunk - self._used)
            self._buffer[self._used : self._used + n] = rows[taken : taken + n]
            self._used += n
            taken += n
            if self._used == self._chunk:
                self._turn()

    def write(self) -> None:
        """Write the chunk at hand (data only: nobody sees it before ``publish``)."""
        if self.rows == self._written:
            return
        if self._buffer.size:
            file = self._folder / self._chunk_name.format(self._start // self._chunk)
            # a copy, as the buffer is filled further while it is written; it comes back, as new memory costs more
            copy = self._spare.pop() if self._spare else np.empty_like(self._buffer)
            copy[...] = self._buffer
            self._submit(partial(self._write_chunk, file, copy))
        if self._sink is not None:
            self._sink(self._buffer[self._written - self._start : self._used])
        self._written = self.rows

    def _write_chunk(self, file: Path, rows: npt.NDArray[Any]) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            replace_bytes(file, encode(rows))
        except OSError as error:
            raise CosimError(f"{file}: cannot write the record: {error.strerror or error}") from error
        self._spare.append(rows)

    def publish(self) -> int:
        """Make the written rows visible: replace the array's metadata atomically. Returns their number."""
        if self._published != self._written:
            self._published = self._written
            self._submit(partial(self._show, self._written))
        return self._written

    def _show(self, rows: int) -> None:
        self._document["shape"][0] = rows
        try:
            replace_json(self._file, self._document)
        except OSError as error:
            raise CosimError(f"{self._file}: cannot write the record: {error.strerror or error}") from error

    def _turn(self) -> None:
        self.write()
        self._start += self._chunk
        self._used = 0
