"""Columns of a table in memory or on disk, and conditions on them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.spec.units import NONE, Dim, UnitError, Value, kind_text, parse, suggest

Bool = NDArray[np.bool_]
_COMPARISON = re.compile(r"\s*(<=|>=|==|!=|<|>)")


@dataclass(frozen=True)
class Numbers:
    """Numbers with a dimension: ``values`` of shape (n,), any numeric dtype, SI."""

    values: NDArray[Any]
    dim: Dim = NONE

    def at(self, rows: slice | NDArray[np.integer] | Bool) -> Numbers:
        """Some of the rows."""
        return Numbers(self.values[rows], self.dim)

    def value(self) -> Value:
        """For expressions: float64."""
        return Value(np.asarray(self.values, dtype=np.float64), self.dim)


@dataclass(frozen=True)
class Texts:
    """Words: row i says ``words[codes[i]]``; ``codes`` has shape (n,)."""

    codes: NDArray[np.integer]
    words: tuple[str, ...]

    def at(self, rows: slice | NDArray[np.integer] | Bool) -> Texts:
        """Some of the rows."""
        return Texts(self.codes[rows], self.words)

    def texts(self) -> list[str]:
        """The word of every row."""
        return [self.words[code] for code in self.codes.tolist()]


Column = Numbers | Texts
Columns = Mapping[str, Column]


def value_scope(columns: Columns) -> dict[str, Value]:
    """The columns of numbers, as names for expressions."""
    return {name: column.value() for name, column in columns.items() if isinstance(column, Numbers)}


def matches(conditions: Mapping[str, Any], columns: Columns, n: int, what: str) -> Bool:
    """Which of n rows meet every condition (``cosim.spec.choice.Condition``); shape (n,).

    `what` says whose rows they are, for messages. Raises UnitError for a column or word that there is not.
    """
    mask = np.ones(n, dtype=bool)
    for name, wanted in conditions.items():
        if name not in columns:
            hint = suggest(name, columns) or f"; there are: {', '.join(columns) or 'none'}"
            raise UnitError(f"{what} have no column '{name}'{hint}")
        mask &= _meets(name, wanted, columns, n, what)
    return mask


def _meets(name: str, wanted: Any, columns: Columns, n: int, what: str) -> Bool:
    if isinstance(wanted, Mapping):
        return ~_meets(name, wanted["not"], columns, n, what)
    column = columns[name]
    items = wanted if isinstance(wanted, tuple) else (wanted,)
    if isinstance(column, Texts):
        return _one_of_words(name, items, column, what)
    mask = np.zeros(n, dtype=bool)
    for item in items:
        mask |= _number(name, item, columns, n, what)
    return mask


def _one_of_words(name: str, items: tuple[Any, ...], column: Texts, what: str) -> Bool:
    place = {word: code for code, word in enumerate(column.words)}
    wanted = np.zeros(len(column.words), dtype=bool)
    for item in items:
        word = str(item).lower() if isinstance(item, bool) else str(item)
        if word not in place:
            words = [w for w in column.words if w]
            listed = f"; there are: {', '.join(words)}" if len(words) <= 12 else ""
            raise UnitError(f"no {name} of {what} is '{word}'{suggest(word, words) or listed}")
        wanted[place[word]] = True
    return np.asarray(wanted[column.codes], dtype=bool)


def _number(name: str, item: Any, columns: Columns, n: int, what: str) -> Bool:
    column = columns[name]
    assert isinstance(column, Numbers)
    if isinstance(item, bool):
        return np.asarray(column.values == item, dtype=bool)
    text = f"{name} {item}" if isinstance(item, str) and _COMPARISON.match(item) else str(item)
    expression = parse(text)
    scope = {key: columns[key] for key in {name, *expression.names} & set(columns)}
    for key, used in scope.items():
        if isinstance(used, Texts):
            raise UnitError(f"'{text}': {key} is a column of words and cannot be compared with numbers")
    result = expression.evaluate(value_scope(scope))
    if np.asarray(result.value).dtype == bool:
        return np.array(np.broadcast_to(result.value, (n,)))
    if result.dim != column.dim:
        raise UnitError(f"'{text}': the {name} of {what} is {kind_text(column.dim)}, got {kind_text(result.dim)}")
    return np.asarray(column.values == result.value, dtype=bool)
