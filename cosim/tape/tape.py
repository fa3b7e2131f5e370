"""A list of operations on arrays, played by numpy or by a compiled library."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.tape.native import Play, pack
from cosim.tape.numeric import Numpy
from cosim.tape.operations import ELEMENTWISE

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
I32 = NDArray[np.int32]
Call = Callable[[int], None]

NOBODY = np.empty(0, dtype=np.int32)
_NOTHING, _NOWHERE = np.empty(0), np.empty(0, dtype=np.int64)


@dataclass
class Op:
    """One operation; which fields it uses is up to the method of Tape that writes it."""

    code: str
    n: int
    out: F64 = field(default_factory=lambda: _NOTHING)
    operands: tuple[F64, ...] = ()
    at: I64 = field(default_factory=lambda: _NOWHERE)
    p: int = 0
    q: int = 0
    call: Call | None = None


@dataclass
class Tape:
    """Operations in the order in which they were written, played once a tick.

    Arrays are float64 and contiguous, places int64. They are used where they are: whoever hands one over may change
    what is in it, but must never replace it. An answer is an array that is overwritten by the next ``play``. A tape is
    played by numpy unless it was given to a library (``load``); nothing can be written to it afterwards.
    """

    ops: list[Op] = field(default_factory=list)
    _player: Play | None = None

    # ------------------------------------------------------------ writing

    def compute(self, name: str, *operands: F64 | float, out: F64 | None = None) -> F64:
        """An operation of ELEMENTWISE; a number, or an array of one element, goes with all elements of the others."""
        arrays = tuple(_array(x) for x in operands)
        n = max(len(x) for x in arrays)
        assert len(arrays) == ELEMENTWISE[name][1] and all(len(x) in (1, n) for x in arrays)
        out = np.zeros(n) if out is None else _checked(out, n)
        self._add(Op(name, n, out, arrays))
        return out

    def gate(self, values: F64, switch: F64) -> F64:
        """The values while switch[0] is not 0, else zeros."""
        out = np.zeros(len(values))
        self._add(Op("gate", len(values), out, (_checked(values), _checked(switch, 1))))
        return out

    def take(self, source: F64, places: I64, out: F64 | None = None) -> F64:
        """out[i] = source[places[i]]"""
        out = np.zeros(len(places)) if out is None else _checked(out, len(places))
        self._add(Op("take", len(places), out, (_checked(source),), _places(places)))
        return out

    def put(self, values: F64, places: I64, target: F64) -> None:
        """target[places[i]] = values[i]"""
        self._add(Op("put", len(places), _checked(target), (_checked(values, len(places)),), _places(places)))

    def add_at(self, values: F64, places: I64, target: F64) -> None:
        """target[places[i]] += values[i]; no place comes twice."""
        self._add(Op("add_at", len(places), _checked(target), (_checked(values, len(places)),), _places(places)))

    def sum_at(self, values: F64, places: I64, n: int) -> F64:
        """Sums (n,) of the values that have the same place, in their order."""
        out = np.zeros(n)
        self._add(Op("sum_at", len(places), out, (_checked(values, len(places)),), _places(places), p=n))
        return out

    def mark(self, mask: F64, places: I64, target: F64) -> None:
        """target[places[i]] = 1 where mask[i] is not 0."""
        self._add(Op("mark", len(places), _checked(target), (_checked(mask, len(places)),), _places(places)))

    def ramp(self, values: F64, ticks: int) -> F64:
        """Values times tick/ticks before tick `ticks`, as they are from then on."""
        out = np.zeros(len(values))
        self._add(Op("ramp", len(values), out, (_checked(values),), p=ticks))
        return out

    def store(self, values: F64, ring: F64) -> None:
        """Write the values into the row tick % depth of a ring (depth, n)."""
        depth, n = ring.shape
        self._add(Op("store", n, _flat(ring), (_checked(values, n),), p=depth))

    def recall(self, ring: F64, ago: I64, out: F64 | None = None) -> F64:
        """out[i] = what was stored in column i of a ring (depth, n) `ago[i]` < depth ticks ago."""
        depth, n = ring.shape
        out = np.zeros(n) if out is None else _checked(out, n)
        self._add(Op("recall", n, out, (_flat(ring),), _places(ago), p=depth))
        return out

    def count(self, channel_of: I64, n: int) -> F64:
        """How many of the ids that are played with belong to each of n channels.

        channel_of[id] is n where an id counts for none; ids beyond its end have its last entry.
        """
        out = np.zeros(n)
        self._add(Op("count", n, out, (), _places(channel_of), p=len(channel_of) - 1))
        return out

    def pick(self, rows: F64, table: F64) -> F64:
        """out[i] = table[rows[i], i] for a table (depth, n); rows are rounded down, and those that are not there (or
        not numbers) are the nearest one (the first)."""
        depth, n = table.shape
        out = np.zeros(n)
        self._add(Op("pick", n, out, (_checked(rows, n), _flat(table)), p=depth))
        return out

    def append(self, values: F64, block: F64, column: int, used: I64) -> None:
        """Write the values into row used[0] of a block (rows, width), from a column on."""
        width = block.shape[1]
        self._add(Op("append", len(values), _flat(block), (_checked(values),), _places(used), width, column))

    def advance(self, used: I64, room: int) -> None:
        """Count used[0] up; ``play`` answers True if it has come to `room`."""
        self._add(Op("advance", 0, at=_places(used), p=room))

    def finite(self, values: F64) -> None:
        """``play`` answers True if one of the values is infinite or not a number (or, with numpy, if their sum is)."""
        self._add(Op("finite", len(values), operands=(_checked(values),)))

    @contextmanager
    def when(self, every: int, shift: int = 0) -> Iterator[None]:
        """What is written within is played only where (tick + shift) % every is 0."""
        skip = Op("skip", 0, p=shift, q=every)
        if every > 1:
            self._add(skip)
        before = len(self.ops)
        yield
        skip.n = len(self.ops) - before
        assert all(op.call is None for op in self.ops[before:])  # calls part what a library plays

    def call(self, function: Call) -> None:
        """Call a function with the tick (not within ``when``)."""
        self._add(Op("call", 0, call=function))

    def fill(self, function: Callable[[int], F64 | float], n: int) -> F64:
        """What a function of the tick returns, shape (n,) or a number."""
        out = np.zeros(n)
        self.call(lambda tick: out.__setitem__(slice(None), function(tick)))
        return out

    def read(self, array: NDArray[Any]) -> F64:
        """An array of any numbers, as it is when this is played: itself if it is of the tape's kind, else a copy."""
        if array.dtype == np.float64 and array.flags.c_contiguous:
            return array.reshape(-1)
        return self.fill(lambda tick: array.reshape(-1), array.size)

    @contextmanager
    def written(self, array: NDArray[Any]) -> Iterator[F64]:
        """What to write to within, for an array of any numbers: itself if it is of the tape's kind, else a copy."""
        if array.dtype == np.float64 and array.flags.c_contiguous:
            yield array
            return
        values = np.zeros(len(array))
        yield values
        self.call(lambda tick: array.__setitem__(slice(None), values))

    def _add(self, op: Op) -> None:
        assert self._player is None
        self.ops.append(op)

    # ------------------------------------------------------------ playing

    def load(self, library: ctypes.PyDLL | None) -> Play:
        """A function (tick, ids) that plays the tape in a library, or (None) by numpy, and answers.

        Nothing can be written to the tape from now on.
        """
        self._player = Numpy(self.ops) if library is None else pack(self.ops, library)
        return self._player

    def play(self, tick: int, ids: I32 = NOBODY) -> bool:
        """Play it with numpy, if it was not loaded otherwise."""
        return (self._player or self.load(None))(tick, ids)


def _array(x: F64 | float) -> F64:
    return _checked(x if isinstance(x, np.ndarray) else np.array([float(x)]))


def _checked(array: F64, n: int | None = None) -> F64:
    assert array.dtype == np.float64 and array.ndim == 1 and array.flags.c_contiguous
    assert n is None or len(array) == n
    return array


def _flat(array: F64) -> F64:
    assert array.flags.c_contiguous
    return _checked(array.reshape(-1))


def _places(places: I64) -> I64:
    assert places.dtype == np.int64 and places.ndim == 1 and places.flags.c_contiguous
    return places
