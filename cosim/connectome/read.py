"""Columns of CSV, parquet and SONATA files, as they stand: numbers as arrays, texts as words and codes.

CSV is read in pieces and every column kept as codes into its distinct texts, so that a long table of few ids and small
counts takes four bytes a value. pyarrow (parquet, long CSV) and h5py (SONATA) are imported only when such a file is
read.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Texts
from cosim.errors import Problem, UserError
from cosim.record.extras import need
from cosim.spec.connectome import NodesSpec, TableSpec
from cosim.spec.units import suggest

#: one column of a file: numbers of any type (booleans too), or words
Raw = NDArray[Any] | Texts
_PIECE = 10_000
#: bytes from which on a CSV file is read by pyarrow, where it is installed
_LARGE = 5_000_000


def read_columns(path: Path, table: TableSpec, wanted: list[str]) -> dict[str, Raw]:
    """The wanted columns of a file, all of one length. Raises UserError with file, line and what is missing."""
    wanted = list(dict.fromkeys(wanted))
    if table.reader == "csv":
        return _csv(path, table, wanted)
    if table.reader == "parquet":
        return _parquet(path, wanted)
    return _sonata(path, table, wanted)


def line_of(table: TableSpec, row: int) -> int:
    """The line of a row in its file (no cell with line breaks before it), 0 where files have no lines."""
    if table.reader != "csv":
        return 0
    return row + (1 if table.names is not None else 2)


def no_column(path: Path, name: str, there: list[str], line: int = 0) -> UserError:
    """The complaint about a column that is not there."""
    listed = ", ".join(f"'{one}'" for one in there[:20]) or "none"
    message = f"no column '{name}' among {listed}{suggest(name, there)}"
    return UserError(Problem(str(path), line, 1 if line else 0, "", message))


def unreadable(path: Path, what: str, error: BaseException) -> UserError:
    """The complaint about a file that is not what it should be."""
    text = " ".join(str(error).split()) or type(error).__name__
    return UserError(Problem(str(path), 0, 0, "", f"cannot be read as {what} (damaged or cut off?): {text}"))


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8", newline="")
    return path.open(encoding="utf-8", newline="")


def _csv(path: Path, table: TableSpec, wanted: list[str]) -> dict[str, Raw]:
    delimiter = table.delimiter or ("\t" if path.name.removesuffix(".gz").endswith(".tsv") else ",")
    try:
        with _open(path) as file:
            rows = csv.reader(file, delimiter=delimiter)
            header = table.names or next(rows, None)
            if header is None:
                raise UserError(Problem(str(path), 1, 1, "", "the file is empty, expected a header"))
            at = {name: _index(path, header, name, table.names is None) for name in wanted}
            if path.stat().st_size >= _LARGE and find_spec("pyarrow") is not None:
                found = _csv_by_arrow(path, int(table.names is None), len(header), at, delimiter)
                if found is not None:
                    return found
            return _coded(path, rows, at, len(header), line_of(table, 0))
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise unreadable(path, "CSV", error) from None


def _coded(path: Path, rows: Iterator[list[str]], at: dict[str, int], width: int, first: int) -> dict[str, Raw]:
    """The wanted columns as codes into their texts; `first` is the line of the first row."""
    places: dict[str, dict[str, int]] = {name: {} for name in at}
    codes: dict[str, list[NDArray[np.int32]]] = {name: [np.empty(0, dtype=np.int32)] for name in at}
    for piece in iter(lambda: list(islice(rows, _PIECE)), []):
        if {*map(len, piece)} != {width}:
            first += _ragged(path, piece, width, first)
            piece = [row for row in piece if row]
        else:
            first += len(piece)
        for name, column in at.items():
            place = places[name]
            seen = [place.setdefault(row[column], len(place)) for row in piece]
            codes[name].append(np.array(seen, dtype=np.int32))
    return {name: Texts(np.concatenate(codes[name]), tuple(places[name])) for name in at}


def _csv_by_arrow(path: Path, skip: int, width: int, at: dict[str, int], delimiter: str) -> dict[str, Raw] | None:
    """The same, faster; None for a file that pyarrow does not take (then the line that is wrong is found here)."""
    import pyarrow
    from pyarrow import csv as arrow_csv

    text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    names = [str(column) for column in range(width)]
    wanted = [str(column) for column in at.values()]
    try:
        table = arrow_csv.read_csv(
            path,
            read_options=arrow_csv.ReadOptions(column_names=names, skip_rows=skip),
            parse_options=arrow_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(wanted, text), include_columns=wanted, strings_can_be_null=False
            ),
        )
    except (pyarrow.ArrowException, OSError):
        return None
    return {name: _arrow(table.column(str(column)), pyarrow) for name, column in at.items()}


def _index(path: Path, header: list[str], name: str, written: bool) -> int:
    names = [text.strip() for text in header]
    if name not in names:
        raise no_column(path, name, names, 1 if written else 0)
    if names.count(name) > 1:
        raise UserError(Problem(str(path), 1, 1, "", f"the column '{name}' is there {names.count(name)} times"))
    return names.index(name)


def _ragged(path: Path, piece: list[list[str]], width: int, first: int) -> int:
    """Complain about the first row of another length that is not blank; the number of lines of the piece."""
    for line, row in enumerate(piece, start=first):
        if row and len(row) != width:
            raise UserError(Problem(str(path), line, 1, "", f"expected {width} values, got {len(row)}"))
    return len(piece)


def _parquet(path: Path, wanted: list[str]) -> dict[str, Raw]:
    arrow: Any = need("pyarrow", "connectome")
    parquet: Any = need("pyarrow.parquet", "connectome")
    try:
        with parquet.ParquetFile(path) as file:
            names = list(file.schema_arrow.names)
            for name in wanted:
                if name not in names:
                    raise no_column(path, name, names)
            return {name: _arrow(file.read(columns=[name]).column(0), arrow) for name in wanted}
    except (OSError, arrow.ArrowException) as error:
        raise unreadable(path, "parquet", error) from None


def _arrow(column: Any, arrow: Any) -> Raw:
    kind = column.type
    if arrow.types.is_dictionary(kind) and arrow.types.is_string(kind.value_type) and not column.null_count:
        one = column.unify_dictionaries().combine_chunks()
        chunk = one if not isinstance(one, arrow.ChunkedArray) else one.chunk(0) if one.num_chunks else None
        if chunk is None:
            return Texts(np.empty(0, dtype=np.int32), ())
        return Texts(chunk.indices.to_numpy().astype(np.int32), tuple(chunk.dictionary.to_pylist()))
    if arrow.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if arrow.types.is_string(kind) or arrow.types.is_large_string(kind):
        coded = column.fill_null("").combine_chunks().dictionary_encode()
        if isinstance(coded, arrow.ChunkedArray):
            coded = coded.combine_chunks()
        return Texts(coded.indices.to_numpy().astype(np.int32), tuple(coded.dictionary.to_pylist()))
    numbers: NDArray[Any] = column.to_numpy()
    return numbers


def _sonata(path: Path, table: TableSpec, wanted: list[str]) -> dict[str, Raw]:
    hdf: Any = need("h5py", "connectome")
    root = "nodes" if isinstance(table, NodesSpec) else "edges"
    try:
        with hdf.File(path, "r") as file:
            populations = list(file.get(root, ()))
            name = table.population or (populations[0] if len(populations) == 1 else None)
            if name is None or name not in populations:
                listed = ", ".join(populations) or "none"
                message = f"which population of {root}? There are: {listed}" if name is None else (
                    f"no population '{name}' of {root}{suggest(name, populations)}; there are: {listed}"
                )  # fmt: skip
                raise UserError(Problem(str(path), 0, 0, "", message))
            group = file[root][name]
            return {one: _dataset(path, group, one, root[:-1], hdf) for one in wanted}
    except (OSError, KeyError, RuntimeError) as error:
        raise unreadable(path, "a SONATA file", error) from None


def _dataset(path: Path, group: Any, name: str, kind: str, hdf: Any) -> Raw:
    """A dataset of the population itself, or an attribute in its one group, in the order of the table."""
    if name in group and isinstance(group[name], hdf.Dataset):
        return _plain(group[name])
    groups = [key for key in group if key.isdigit()]
    held = {key: [n for n in group[key] if isinstance(group[key][n], hdf.Dataset)] for key in groups}
    if not any(name in names for names in held.values()):
        there = [key for key in group if isinstance(group[key], hdf.Dataset)]
        raise no_column(path, name, [*there, *{n for names in held.values() for n in names}])
    if len(groups) > 1:
        message = f"'{name}' is spread over {len(groups)} groups of {kind}s; only files with one group are read"
        raise UserError(Problem(str(path), 0, 0, "", message))
    values = _plain(group[groups[0]][name])
    order = group.get(f"{kind}_group_index")
    if order is None:
        return values
    return values.at(order[()]) if isinstance(values, Texts) else values[order[()]]


def _plain(dataset: Any) -> Raw:
    values: NDArray[Any] = dataset[()]
    if values.dtype.kind in "iufb":
        return values
    texts = [one.decode() if isinstance(one, bytes) else str(one) for one in values.tolist()]
    place: dict[str, int] = {}
    codes = np.fromiter((place.setdefault(text, len(place)) for text in texts), dtype=np.int32, count=len(texts))
    return Texts(codes, tuple(place))
