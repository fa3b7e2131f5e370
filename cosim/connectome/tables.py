"""From the columns of files to cells and edges with meaning: ids, counts, units, words; what cannot be is told with its
line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.connectome.columns import Column, Numbers, Texts
from cosim.connectome.read import Raw, line_of, read_columns
from cosim.errors import Problem, UserError
from cosim.spec.connectome import ColumnSpec, EdgesSpec, MoreSpec, NodesSpec, TableSpec
from cosim.spec.units import NONE, parse

I32 = NDArray[np.int32]
#: an id as text -> what is said when there is no such cell
Absent = Callable[[str], str]
_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*\Z|\s*[-+]?(nan|inf)\s*\Z", re.IGNORECASE)
_TRUTH = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class _File:
    """A file and how it is read: for messages."""

    path: Path
    table: TableSpec

    def wrong(self, row: int, message: str) -> UserError:
        line = line_of(self.table, row)
        where = "" if line else f"row {row}: "
        return UserError(Problem(str(self.path), line, 1 if line else 0, "", where + message))


def read_nodes(path: Path, table: NodesSpec) -> tuple[NDArray[Any], dict[str, Column]]:
    """Ids, shape (n,) int64 or text, and columns of the cells. Raises UserError (an id twice, an empty id, ...)."""
    raw = read_columns(path, table, [table.id, *(column.column for column in table.columns.values())])
    file = _File(path, table)
    ids = cell_ids(file, raw[table.id])
    columns = {name: _column(file, name, spec, raw[spec.column]) for name, spec in table.columns.items()}
    return ids, columns


def read_more(path: Path, table: MoreSpec, ids: NDArray[Any]) -> dict[str, Column]:
    """Further columns of cells that are known already; rows of other cells are passed over."""
    raw = read_columns(path, table, [table.id, *(column.column for column in table.columns.values())])
    file = _File(path, table)
    found = cell_ids(file, raw[table.id])
    place = {str(one): row for row, one in enumerate(found.tolist())}
    rows = np.array([place.get(str(one), -1) for one in ids.tolist()], dtype=np.int64)
    columns = {name: _column(file, name, spec, raw[spec.column]) for name, spec in table.columns.items()}
    return {name: _taken(column, rows) for name, column in columns.items()}


def _taken(column: Column, rows: NDArray[np.int64]) -> Column:
    """Some rows of a column, nothing where the row is -1."""
    if isinstance(column, Texts):
        words = column.words if "" in column.words else (*column.words, "")
        codes = np.append(column.codes, np.int32(words.index("")))  # what row -1 stands for
        return Texts(codes[rows], words)
    return Numbers(np.append(column.values.astype(np.float64), np.nan)[rows], column.dim)


def read_ids(path: Path, table: NodesSpec) -> NDArray[Any]:
    """The ids alone."""
    return cell_ids(_File(path, table), read_columns(path, table, [table.id])[table.id])


def cell_ids(file: _File, raw: Raw) -> NDArray[Any]:
    """Ids as int64, or as text where they are no whole numbers; each may be there once."""
    if isinstance(raw, Texts):
        empty = [code for code, word in enumerate(raw.words) if not word.strip()]
        if empty:
            raise file.wrong(int(np.flatnonzero(np.isin(raw.codes, empty))[0]), "a cell without an id")
        words = [word.strip() for word in raw.words]
        whole = all(re.fullmatch(r"-?(0|[1-9]\d{0,17})", word) for word in words)
        distinct = np.array([int(word) for word in words], dtype=np.int64) if whole else np.array(words, dtype=str)
        ids = distinct[raw.codes] if len(words) else np.empty(0, dtype=np.int64)
    else:
        if raw.dtype.kind not in "iu":
            raise file.wrong(0, f"ids are whole numbers or texts, these are {raw.dtype}")
        ids = raw.astype(np.int64)
    if not len(ids):
        raise UserError(Problem(str(file.path), 0, 0, "", "the table has no cells"))
    order = np.argsort(ids, kind="stable")
    twice = order[1:][ids[order][1:] == ids[order][:-1]]
    if len(twice):
        row = int(twice.min())
        first = int(np.flatnonzero(ids == ids[row])[0])
        raise file.wrong(row, f"the id '{ids[row]}' is there twice (first in {_place(file, first)})")
    return ids


def _place(file: _File, row: int) -> str:
    line = line_of(file.table, row)
    return f"line {line}" if line else f"row {row}"


def _column(file: _File, name: str, spec: ColumnSpec, raw: Raw) -> Column:
    if spec.values is not None:
        if not isinstance(raw, Texts):
            raise file.wrong(0, f"values renames words, and {name} ('{spec.column}') has numbers")
        return _renamed(raw, spec.values)
    unit = parse(spec.unit).evaluate() if spec.unit is not None else None
    numbers = _numbers(raw)
    if numbers is None:
        assert isinstance(raw, Texts)
        if unit is None:
            return raw
        wrong = [code for code, word in enumerate(raw.words) if word.strip() and not _NUMBER.match(word)]
        row = int(np.flatnonzero(np.isin(raw.codes, wrong))[0])
        raise file.wrong(row, f"{name}: '{raw.words[int(raw.codes[row])]}' is not a number")
    if unit is None:
        return Numbers(numbers, NONE)
    return Numbers(numbers * float(unit.value), unit.dim)


def _renamed(raw: Texts, values: dict[str, str]) -> Texts:
    """Other words for some; words that become the same share a code."""
    words = [values.get(word, word) for word in raw.words]
    distinct = list(dict.fromkeys(words))
    place = np.array([distinct.index(word) for word in words], dtype=np.int32)
    return Texts(place[raw.codes] if len(words) else raw.codes, tuple(distinct))


def _numbers(raw: Raw) -> NDArray[Any] | None:
    """The column as numbers (an empty text is NaN), None where it holds words."""
    if not isinstance(raw, Texts):
        return raw
    found = []
    for word in raw.words:
        text = word.strip()
        if text.lower() in _TRUTH:
            found.append(_TRUTH[text.lower()])
        elif not text or _NUMBER.match(text):
            found.append(float(text) if text else np.nan)
        else:
            return None
    if all(np.isnan(found)):
        return None  # nothing but blanks: no numbers are meant
    numbers: NDArray[np.float64] = np.array(found)[raw.codes]
    return numbers


@dataclass(frozen=True)
class EdgeTable:
    """The edges of one table as they stand: rows of the table of cells and columns, shape (n,)."""

    pre: I32
    post: I32
    columns: dict[str, Column]


def read_edges(path: Path, table: EdgesSpec, ids: NDArray[Any], absent: Absent) -> EdgeTable:
    """One table of edges. Raises UserError (a cell that is not there, a negative count, ...)."""
    file = _File(path, table)
    count = table.signed_count or table.count
    mapped = {name: spec.column for name, spec in table.columns.items()}
    raw = read_columns(path, table, [table.pre, table.post, *([count] if count else []), *mapped.values()])
    rows = {str(one): row for row, one in enumerate(ids.tolist())} if table.by == "id" else {}
    ends = []
    for key in (table.pre, table.post):
        ends.append(_by_id(file, raw[key], rows, absent) if rows else _by_index(file, key, raw[key], len(ids)))
        if key not in mapped.values():
            del raw[key]  # many: not kept longer than needed
    pre, post = ends
    columns: dict[str, Column] = {"count": Numbers(np.ones(len(pre), dtype=np.int8))}
    if count is not None:
        counts = _counts(file, count, raw[count], signed=table.signed_count is not None)
        if table.signed_count is not None:
            columns["sign"] = Numbers(np.sign(counts).astype(np.int8))
            counts = np.abs(counts)
        columns["count"] = Numbers(counts)
    if table.kind is not None:
        columns["kind"] = Texts(np.zeros(len(pre), dtype=np.int32), (table.kind,))
    columns |= {name: _column(file, name, spec, raw[spec.column]) for name, spec in table.columns.items()}
    if table.mirrored:
        other = np.flatnonzero(pre != post)
        both = np.concatenate([np.arange(len(pre)), other])
        pre, post = np.concatenate([pre, post[other]]), np.concatenate([post, pre[other]])
        columns = {name: column.at(both) for name, column in columns.items()}
    return EdgeTable(pre, post, columns)


def _by_id(file: _File, raw: Raw, rows: dict[str, int], absent: Absent) -> I32:
    """Rows of cells by their ids: looked up once for every distinct id."""
    if isinstance(raw, Texts):
        words, codes = raw.words, raw.codes
    else:
        distinct, inverse = np.unique(raw, return_inverse=True)
        if distinct.dtype.kind == "f" and (distinct == np.floor(distinct)).all():
            distinct = distinct.astype(np.int64)
        words, codes = tuple(str(one) for one in distinct.tolist()), inverse.astype(np.int32)
    place = np.array([rows.get(word.strip(), -1) for word in words], dtype=np.int32)
    found: I32 = place[codes] if len(words) else np.empty(0, dtype=np.int32)
    wrong = np.flatnonzero(found < 0)
    if len(wrong):
        row = int(wrong[0])
        raise file.wrong(row, absent(words[int(codes[row])].strip()))
    return found


def _by_index(file: _File, key: str, raw: Raw, n: int) -> I32:
    numbers = _numbers(raw)
    if numbers is None:
        raise file.wrong(0, f"{key}: expected numbers of rows (by: index), got words")
    with np.errstate(invalid="ignore"):
        wrong = np.flatnonzero(~((numbers >= 0) & (numbers < n) & (numbers == np.floor(numbers))))
    if len(wrong):
        row = int(wrong[0])
        raise file.wrong(row, f"{key} {numbers[row]:g} is no row of the table of cells, expected 0 to {n - 1}")
    return numbers.astype(np.int32)


def _counts(file: _File, key: str, raw: Raw, *, signed: bool) -> NDArray[Any]:
    """Numbers of synapses, as int32 where they are whole."""
    numbers = _numbers(raw)
    if numbers is None:
        assert isinstance(raw, Texts)
        wrong = [code for code, word in enumerate(raw.words) if not _NUMBER.match(word)]
        row = int(np.flatnonzero(np.isin(raw.codes, wrong))[0])
        raise file.wrong(row, f"{key}: '{raw.words[int(raw.codes[row])]}' is not a number")
    bad = np.flatnonzero(~np.isfinite(numbers) | ((numbers < 0) & (not signed)))
    if len(bad):
        row = int(bad[0])
        if np.isnan(numbers[row]):
            raise file.wrong(row, f"{key}: there is no number")
        raise file.wrong(row, f"{key} {numbers[row]:g} is {'a negative' if numbers[row] < 0 else 'no'} count")
    whole = numbers.astype(np.int32)
    return whole if (whole == numbers).all() else numbers
