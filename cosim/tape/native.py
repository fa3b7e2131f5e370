"""Tapes in C++: the source that a compiled network has in it, and operations laid out as its `Op`s."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cosim.tape.operations import ELEMENTWISE

if TYPE_CHECKING:
    from cosim.tape.tape import Op

I32 = NDArray[np.int32]
Play = Callable[[int, I32], bool]

_FAST = ("add", "sub", "mul", "div", "max", "min", "lt", "ge")
_OTHERS = (
    "gate", "take", "put", "add_at", "sum_at", "mark", "ramp", "store", "recall", "count", "pick", "skip", "append",
    "advance", "finite",
)  # fmt: skip
CODES = {name: code for code, name in enumerate((*ELEMENTWISE, *_OTHERS))}
_LAYOUT = np.dtype(
    [("code", "i4"), ("step_a", "i4"), ("step_b", "i4"), ("step_c", "i4"), ("n", "i8"), ("out", "u8"), ("a", "u8"),
     ("b", "u8"), ("c", "u8"), ("at", "u8"), ("p", "i8"), ("q", "i8")]
)  # fmt: skip


def source() -> str:
    """The C++ text, to follow that of cosim.exact."""
    numbers = ", ".join(f"TAPE_{name} = {code}" for name, code in CODES.items())
    text = (Path(__file__).parent / "tape.h").read_text(encoding="utf-8")
    cases = "\n".join(_case(name, count, formula) for name, (_, count, formula) in ELEMENTWISE.items())
    return f"#include <algorithm>\nenum {{ {numbers} }};\n" + text.replace("ELEMENTWISE\n", cases + "\n", 1)


def _case(name: str, count: int, formula: str) -> str:
    elements = ", ".join(f"double {x}" for x in "abc"[:count])
    loop = "fast" if name in _FAST else "each"
    call = f"tape::{loop}(o, []({elements}) {{ return {formula}; }})"
    return f"        case TAPE_{name}:\n            {call};\n            break;"


def pack(ops: Sequence[Op], library: ctypes.PyDLL) -> Play:
    """A function that plays operations in a library.

    The library is a PyDLL: giving the interpreter away for so short would cost more than it gives others.
    """
    library.cosim_play.restype = ctypes.c_int64
    library.cosim_play.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64]
    parts: list[Play] = []
    start = 0
    for k, op in enumerate([*ops, None]):
        if op is None or op.call is not None:
            if k > start:
                parts.append(Native(ops[start:k], library))
            if op is not None and op.call is not None:
                parts.append(partial(_called, op.call))
            start = k + 1
    if len(parts) == 1:
        return parts[0]

    def play(tick: int, ids: I32) -> bool:
        full = False
        for part in parts:
            full |= part(tick, ids)
        return full

    return play


def _called(function: Callable[[int], None], tick: int, ids: I32) -> bool:
    function(tick)
    return False


class Native:
    """Operations without calls, laid out for the library."""

    def __init__(self, ops: Sequence[Op], library: ctypes.PyDLL) -> None:
        self._kept = ops  # the library has the addresses of their arrays
        self._laid_out = np.array([_row(op) for op in ops], dtype=_LAYOUT)
        self._counts = any(op.code == "count" for op in ops)
        self._ids = np.empty(0, dtype=np.int32)
        self._function = library.cosim_play
        self._aim(1024)

    def _aim(self, room: int) -> None:
        self._ids = np.empty(room, dtype=np.int32)
        address, n = self._laid_out.ctypes.data, len(self._laid_out)
        self._play = partial(self._function, ctypes.c_void_p(address), ctypes.c_int64(n))
        self._address = ctypes.c_void_p(self._ids.ctypes.data)

    def __call__(self, tick: int, ids: I32) -> bool:
        n = 0
        if self._counts:
            n = len(ids)
            if n > len(self._ids):
                self._aim(2 * n)
            self._ids[:n] = ids
        return bool(self._play(tick, self._address, n))


def _row(op: Op) -> tuple[int, ...]:
    operands = [x.ctypes.data for x in op.operands] + [0] * (3 - len(op.operands))
    steps = [int(len(x) != 1) for x in op.operands] + [0] * (3 - len(op.operands))
    return (CODES[op.code], *steps, op.n, op.out.ctypes.data, *operands, op.at.ctypes.data, op.p, op.q)
