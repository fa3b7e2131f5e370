"""The operations of a tape: what works element by element, in numpy and in C++."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.exact import FUNCTIONS

F64 = NDArray[np.float64]
Function = Callable[..., Any]


def _ufunc(function: np.ufunc) -> Function:
    """A numpy function that can write where it is told; truth becomes 0 and 1."""

    def call(*operands: F64, out: F64) -> None:
        function(*operands, out=out, casting="unsafe")

    return call


def _result(function: Function) -> Function:
    def call(*operands: F64, out: F64) -> None:
        out[...] = function(*operands)

    return call


def _exact(name: str) -> tuple[Function, int, str]:
    function, count = FUNCTIONS[name]
    return _result(function), count, f"cosim_{name}({', '.join('abc'[:count])})"


# numpy's maximum and minimum leave open which zero they give, and so do processors
def _larger(a: F64, b: F64) -> F64:
    return np.where((a >= b) | (a != a), a, b)


def _smaller(a: F64, b: F64) -> F64:
    return np.where((a <= b) | (a != a), a, b)


def _clipped(x: F64, low: F64, high: F64) -> F64:
    return np.where(x < low, low, np.where(x > high, high, x))


def _sign(x: F64) -> F64:
    return np.where(x > 0, 1.0, np.where(x < 0, -1.0, np.where(x == 0, 0.0, x)))


#: name -> the function in numpy (operands, then ``out``), the number of operands, the same in C++ for elements a, b, c;
#: truth is 1 and 0, and what is not 0 is true
ELEMENTWISE: dict[str, tuple[Function, int, str]] = {
    "copy": (_ufunc(np.positive), 1, "a"),
    "neg": (_ufunc(np.negative), 1, "-a"),
    "abs": (_ufunc(np.absolute), 1, "std::fabs(a)"),
    "sign": (_result(_sign), 1, "a > 0 ? 1.0 : a < 0 ? -1.0 : a == 0 ? 0.0 : a"),
    "not": (_ufunc(np.logical_not), 1, "double(a == 0)"),
    "add": (_ufunc(np.add), 2, "a + b"),
    "sub": (_ufunc(np.subtract), 2, "a - b"),
    "mul": (_ufunc(np.multiply), 2, "a * b"),
    "div": (_ufunc(np.divide), 2, "a / b"),
    "max": (_result(_larger), 2, "(a >= b) | (a != a) ? a : b"),
    "min": (_result(_smaller), 2, "(a <= b) | (a != a) ? a : b"),
    "lt": (_ufunc(np.less), 2, "double(a < b)"),
    "le": (_ufunc(np.less_equal), 2, "double(a <= b)"),
    "gt": (_ufunc(np.greater), 2, "double(a > b)"),
    "ge": (_ufunc(np.greater_equal), 2, "double(a >= b)"),
    "eq": (_ufunc(np.equal), 2, "double(a == b)"),
    "ne": (_ufunc(np.not_equal), 2, "double(a != b)"),
    "and": (_ufunc(np.logical_and), 2, "double((a != 0) & (b != 0))"),
    "or": (_ufunc(np.logical_or), 2, "double((a != 0) | (b != 0))"),
    "clip": (_result(_clipped), 3, "a < b ? b : a > c ? c : a"),
    "where": (_result(lambda c, yes, no: np.where(c != 0, yes, no)), 3, "a != 0 ? b : c"),
    **{
        name: _exact(name)
        for name in (
            "exp", "log", "sin", "cos", "tan", "tanh", "arctan", "floor", "sqrt", "square", "cube", "fourth", "power",
        )
    },
    "mod": (_ufunc(np.remainder), 2, "tape_mod(a, b)"),
}  # fmt: skip
