"""Elementary functions that have the same bits on every machine, in numpy and in C++.

The C library and numpy have several versions of exp, log, pow, sin ... and choose by the processor (with or without
fused multiply-add, AVX2, AVX-512); they differ in the last bit. The functions here are made of operations that IEEE 754
defines exactly: + - * /, square root, and operations on bits. They are written once, in Python (`exponential`,
`logarithm`, `circular`, `powers`); `cplusplus` translates that text.

Errors are below 2 units in the last place over the whole range (tests/exact compares with mpmath). Denormal numbers
count as zero and are never a result: exp is 0 below -707 (9e-308). sin, cos and tan are nan beyond 2.1e8. Infinities
and nan give what IEEE 754-2019 (9.2) recommends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import numpy as np

from cosim.exact import circular, exponential, logarithm, powers

Elementwise = Callable[..., Any]
#: numbers at a time: what is computed in between stays in the processor's cache
_BLOCK = 4096


def _elementwise(function: Callable[..., Any]) -> Elementwise:
    @wraps(function)
    def call(*arguments: Any) -> Any:
        given = [np.asarray(x, dtype=np.float64) for x in arguments]
        with np.errstate(all="ignore"):
            if max(x.size for x in given) <= _BLOCK:
                return function(*given)[()]
            whole = np.broadcast_arrays(*given)
            out = np.empty(whole[0].shape)
            flat = [x.reshape(-1) for x in whole]
            for at in range(0, out.size, _BLOCK):
                out.reshape(-1)[at : at + _BLOCK] = function(*(x[at : at + _BLOCK] for x in flat))
            return out

    return call


#: all functions for arrays and numbers, by name, with the number of their arguments
FUNCTIONS: dict[str, tuple[Elementwise, int]] = {
    name: (_elementwise(function), function.__code__.co_argcount)
    for module, names in (
        (exponential, ("exp", "expm1", "exprel", "sinh", "cosh", "tanh")),
        (logarithm, ("log", "log10", "log1p", "power")),
        (circular, ("sin", "cos", "tan", "arcsin", "arccos", "arctan")),
        (powers, ("sqrt", "square", "cube", "fourth", "floor", "ceil", "quotient", "remainder")),
    )
    for name in names
    for function in (getattr(module, name),)
}
exp, log, log1p, power, tanh, sin, cos, tan = (
    FUNCTIONS[name][0] for name in ("exp", "log", "log1p", "power", "tanh", "sin", "cos", "tan")
)

_BY_MULTIPLICATION = {0.5: "sqrt", 1: "itself", 2: "square", 3: "cube", 4: "fourth"}


def raised(x: Any, n: Any) -> Any:
    """x to the power n as equations have it: by multiplication where n is 2, 3 or 4, else by `power`."""
    size = abs(n) if np.ndim(n) == 0 else None
    if size not in _BY_MULTIPLICATION:
        return power(x, n)
    y = x if size == 1 else FUNCTIONS[_BY_MULTIPLICATION[size]][0](x)
    with np.errstate(all="ignore"):
        return np.divide(1.0, y) if n < 0 else y
