"""Sums and products with what rounding took away: the result is a pair whose sum is exact.

Dekker 1971, doi:10.1007/BF01397083; Knuth, The Art of Computer Programming 2, 4.2.2.
"""

from __future__ import annotations

from cosim.exact.operations import Real

#: 2^27 + 1
SPLITTER = 134217729.0


def sum_ordered(a: Real | float, b: Real) -> tuple[Real, Real]:
    """a + b where |a| >= |b|, or a is 0."""
    total = a + b
    return total, b - (total - a)


def sum_exact(a: Real, b: Real | float) -> tuple[Real, Real]:
    """a + b."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def product_exact(a: Real, b: Real | float) -> tuple[Real, Real]:
    """a*b, for |a|, |b| < 2^996."""
    total = a * b
    ta = a * SPLITTER
    a_high = ta - (ta - a)
    a_low = a - a_high
    tb = b * SPLITTER
    b_high = tb - (tb - b)
    b_low = b - b_high
    return total, ((a_high * b_high - total) + a_high * b_low + a_low * b_high) + a_low * b_low
