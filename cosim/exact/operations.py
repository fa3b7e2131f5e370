"""What the functions of this package are written in: operations that IEEE 754 defines to the last bit, or on bits.

They are also all that `cosim.exact.cplusplus` translates. Arrays of any one shape; constants may stand for arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float64]
Bits = NDArray[Any]  # of uint64; numpy's type stubs know no shifts of it
Truth = NDArray[np.bool_]


def bits(x: Real) -> Bits:
    """The bits of numbers."""
    return x.view(np.uint64)


def value(u: Bits) -> Real:
    """The numbers with these bits."""
    return u.view(np.float64)


def entry(table: Real, place: Bits) -> Real:
    """Entries of a table."""
    found: Real = table[place]
    return found


def where(condition: Truth, yes: Real | float, no: Real | float) -> Real:
    """`yes` where the condition holds, `no` elsewhere; both are computed."""
    return np.where(condition, yes, no)


def absolute(x: Real) -> Real:
    """The numbers without their sign."""
    return np.abs(x)


def with_sign_of(x: Real | float, of: Real) -> Real:
    """`x` with the sign of `of`."""
    return np.copysign(x, of)


def square_root(x: Real) -> Real:
    """The square root, correctly rounded by IEEE 754."""
    return np.sqrt(x)


def whole(x: Real) -> Real:
    """The largest whole number that is not greater."""
    return np.floor(x)


def polynomial(x: Real, coefficients: tuple[float, ...]) -> Real:
    """A polynomial, lowest power first, by Estrin's scheme: pairs of terms, then pairs of pairs (short chains)."""
    terms: list[Any] = list(coefficients)
    power = x
    while len(terms) > 1:
        pairs = [low + high * power for low, high in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + terms[len(terms) - len(terms) % 2 :]
        power = power * power if len(terms) > 1 else power
    return np.asarray(terms[0])
