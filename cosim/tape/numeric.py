"""Tapes played by numpy, one operation after another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cosim.tape.operations import ELEMENTWISE

if TYPE_CHECKING:
    from cosim.tape.tape import Op

I32 = NDArray[np.int32]
Action = Callable[[int, I32], Any]


class Numpy:
    """Plays operations."""

    def __init__(self, ops: Sequence[Op]) -> None:
        self._ops = [(_action(op), op.code, op.n) for op in ops]

    def __call__(self, tick: int, ids: I32) -> bool:
        answer, skip = False, 0
        with np.errstate(all="ignore"):
            for action, code, n in self._ops:
                if skip:
                    skip -= 1
                    continue
                found = action(tick, ids)
                if code == "skip":
                    skip = n if found else 0
                elif code in _ANSWERING:
                    answer |= found
        return answer


def _action(op: Op) -> Action:
    """What an operation does; that of ``skip`` says whether, those of _ANSWERING what they find."""
    if op.code in ELEMENTWISE:
        function = partial(ELEMENTWISE[op.code][0], *op.operands, out=op.out)
        return lambda tick, ids: function()
    if op.call is not None:
        call = op.call
        return lambda tick, ids: call(tick)
    return _OTHERS[op.code](op, *op.operands)


def _gate(op: Op, a: Any, switch: Any) -> Action:
    return lambda tick, ids: np.copyto(op.out, a if switch[0] else 0.0)


def _take(op: Op, a: Any) -> Action:
    # the mode without a buffer; all places are valid
    return lambda tick, ids: a.take(op.at, out=op.out, mode="clip")


def _put(op: Op, a: Any) -> Action:
    return lambda tick, ids: op.out.__setitem__(op.at, a)


def _add_at(op: Op, a: Any) -> Action:
    def act(tick: int, ids: I32) -> None:
        op.out[op.at] += a

    return act


def _sum_at(op: Op, a: Any) -> Action:
    return lambda tick, ids: np.copyto(op.out, np.bincount(op.at, a, op.p))


def _mark(op: Op, a: Any) -> Action:
    return lambda tick, ids: op.out.__setitem__(op.at[a != 0], 1.0)


def _ramp(op: Op, a: Any) -> Action:
    return lambda tick, ids: np.copyto(op.out, a * (tick / op.p) if tick < op.p else a)


def _store(op: Op, a: Any) -> Action:
    rows = list(op.out.reshape(op.p, op.n))
    return lambda tick, ids: np.copyto(rows[tick % op.p], a)


def _recall(op: Op, a: Any) -> Action:
    columns = np.arange(op.n)
    return lambda tick, ids: a.take((tick - op.at) % op.p * op.n + columns, out=op.out, mode="clip")


def _count(op: Op) -> Action:
    def act(tick: int, ids: I32) -> None:
        channels = op.at.take(ids, mode="clip")
        op.out[:] = np.bincount(channels, minlength=op.n + 1)[: op.n]

    return act


def _pick(op: Op, a: Any, table: Any) -> Action:
    columns = np.arange(op.n)

    def act(tick: int, ids: I32) -> None:
        row = np.where(a > 0, np.where(a < op.p - 1, a, op.p - 1), 0.0).astype(np.int64)
        table.take(row * op.n + columns, out=op.out, mode="clip")

    return act


def _skip(op: Op) -> Action:
    return lambda tick, ids: (tick + op.p) % op.q


def _append(op: Op, a: Any) -> Action:
    block = op.out.reshape(-1, op.p)[:, op.q : op.q + op.n]
    return lambda tick, ids: block.__setitem__(op.at[0], a)


def _advance(op: Op) -> Action:
    def act(tick: int, ids: I32) -> bool:
        op.at[0] += 1
        return bool(op.at[0] == op.p)

    return act


def _finite(op: Op, a: Any) -> Action:
    return lambda tick, ids: not math.isfinite(np.add.reduce(a))


_ANSWERING = ("advance", "finite")
_OTHERS: dict[str, Callable[..., Action]] = {
    "gate": _gate, "take": _take, "put": _put, "add_at": _add_at, "sum_at": _sum_at, "mark": _mark, "ramp": _ramp,
    "store": _store, "recall": _recall, "count": _count, "pick": _pick, "skip": _skip, "append": _append,
    "advance": _advance, "finite": _finite,
}  # fmt: skip
