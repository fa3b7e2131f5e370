"""Rounding to whole numbers, whole powers, the square root, remainder and whole quotient."""

from __future__ import annotations

from cosim.exact.operations import Real, square_root, whole


def floor(x: Real) -> Real:
    """The largest whole number that is not greater."""
    return whole(x)


def ceil(x: Real) -> Real:
    """The smallest whole number that is not less."""
    return -whole(-x)


def sqrt(x: Real) -> Real:
    """The square root."""
    return square_root(x)


def square(x: Real) -> Real:
    """x^2."""
    return x * x


def cube(x: Real) -> Real:
    """x^3."""
    return x * x * x


def fourth(x: Real) -> Real:
    """x^4."""
    y = x * x
    return y * y


def quotient(x: Real, y: Real) -> Real:
    """The largest whole number that is not greater than x/y."""
    return whole(x / y)


def remainder(x: Real, y: Real) -> Real:
    """What the whole quotient leaves; it has the sign of y."""
    return x - y * whole(x / y)
