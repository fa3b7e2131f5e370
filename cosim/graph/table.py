"""Edges from a CSV file: columns pre, post and, with their unit in brackets, synaptic parameters and `delay`."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.errors import Problem, UserError
from cosim.spec.units import UnitError, Value, parse

_HEADER = re.compile(r"\s*([A-Za-z][A-Za-z0-9_]*)\s*(?:\[([^\]]*)\])?\s*\Z")


@dataclass(frozen=True)
class Table:
    """Edges sorted by (post, pre); `columns` are SI arrays with dimensions, one entry an edge."""

    pre: NDArray[np.int64]
    post: NDArray[np.int64]
    columns: dict[str, Value]

    def rows(self, lo: int, hi: int) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[str, Value]]:
        """The edges with lo <= post < hi."""
        a, b = np.searchsorted(self.post, (lo, hi))
        return self.pre[a:b], self.post[a:b], {k: Value(v.value[a:b], v.dim) for k, v in self.columns.items()}


def _header(path: Path, names: list[str]) -> tuple[list[str], list[Value]]:
    found, units, problems = [], [], []
    for i, text in enumerate(names):
        match = _HEADER.match(text)
        try:
            if match is None:
                raise UnitError(f"'{text}' is not a column name like 'pre' or 'w [nS]'")
            unit = parse(match[2] or "1").evaluate()
            found.append(match[1])
            units.append(unit)
        except UnitError as error:
            problems.append(Problem(str(path), 1, i + 1, "", str(error)))
    problems += [
        Problem(str(path), 1, 1, "", f"no column '{need}' in {', '.join(names)}")
        for need in ("pre", "post")
        if not problems and need not in found
    ]
    if problems:
        raise UserError(problems)
    return found, units


@lru_cache(maxsize=32)
def read_table(path: Path, n_pre: int, n_post: int) -> Table:
    """Read and check an edge table. Raises UserError with file and line for what cannot be used."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file))
    except FileNotFoundError:
        raise UserError(Problem(str(path), 0, 0, "", "no such file")) from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(Problem(str(path), 0, 0, "", f"cannot be read as CSV: {error}")) from None
    if not rows:
        raise UserError(Problem(str(path), 1, 1, "", "the file is empty, expected a header with pre and post"))
    names, units = _header(path, rows[0])
    problems: list[Problem] = []
    data = np.zeros((len(rows) - 1, len(names)))
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(names):
            problems.append(Problem(str(path), line, 1, "", f"expected {len(names)} values, got {len(row)}"))
            continue
        for column, text in enumerate(row):
            try:
                data[line - 2, column] = float(text)
            except ValueError:
                problems.append(Problem(str(path), line, column + 1, "", f"'{text}' is not a number"))
    for name, limit in (("pre", n_pre), ("post", n_post)):
        ids = data[:, names.index(name)]
        for row_index in np.flatnonzero((ids < 0) | (ids >= limit) | (ids != np.floor(ids)))[:20]:
            message = f"{name} {ids[row_index]:g} is no neuron, expected 0 to {limit - 1}"
            problems.append(Problem(str(path), int(row_index) + 2, names.index(name) + 1, "", message))
    if problems:
        raise UserError(problems)
    pre = data[:, names.index("pre")].astype(np.int64)
    post = data[:, names.index("post")].astype(np.int64)
    order = np.lexsort((pre, post))
    columns = {
        name: Value(data[order, i] * float(units[i].value), units[i].dim)
        for i, name in enumerate(names)
        if name not in ("pre", "post")
    }
    return Table(pre[order], post[order], columns)
