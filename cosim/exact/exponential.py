"""exp and its relatives: x = k ln 2 + r with |r| <= ln(2)/2, exp(x) = 2^k exp(r)."""

from __future__ import annotations

from cosim.exact.constants import (
    BITS_2_64,
    BITS_HALF,
    BITS_QUARTER,
    EXP,
    EXP_SHORT,
    INF,
    INV_LN2,
    INV_LN2_64,
    LEAST,
    LN2_64_HIGH,
    LN2_64_LOW,
    LN2_HIGH,
    LN2_LOW,
    ROOTS,
    ROUND,
    SINH,
)
from cosim.exact.operations import Bits, Real, absolute, bits, entry, polynomial, value, where, with_sign_of
from cosim.exact.sums import sum_exact, sum_ordered

#: where exp, and sinh and cosh, leave the numbers
EXP_MOST = 709.782712893384
SINH_MOST = 710.4758600739439
#: below, exp is 0: its results end at 9e-308
EXP_LEAST = -707.0


def reduced(x: Real) -> tuple[Bits, Real, Real]:
    """k, as the lowest bits, and r with what was rounded away from it."""
    shifted = x * INV_LN2 + ROUND
    k = shifted - ROUND
    high = x - k * LN2_HIGH
    low = k * LN2_LOW
    r = high - low
    return bits(shifted), r, (high - r) - low


def beyond_one(r: Real, rest: Real) -> tuple[Real, Real]:
    """exp(r + rest) - 1 with what was rounded away from it, for a `rest` that is less than the last bit of r."""
    return sum_ordered(r, rest + r * r * polynomial(r, EXP))


def exp(x: Real) -> Real:
    """exp(x), 0 for x < -707: x = (64k + j) ln(2)/64 + r, exp(x) = 2^k 2^(j/64) exp(r), for the sake of speed."""
    shifted = x * INV_LN2_64 + ROUND
    n = shifted - ROUND
    r = (x - n * LN2_64_HIGH) - n * LN2_64_LOW
    root = entry(ROOTS, bits(shifted) & 63)
    y = root + root * (r + r * r * polynomial(r, EXP_SHORT))
    result = (y + y) * value(((bits(shifted) >> 6) << 52) + BITS_HALF)
    return where(x > EXP_MOST, INF, where(x < EXP_LEAST, 0.0, result))


def expm1_exact(x: Real) -> tuple[Real, Real]:
    """exp(x) - 1 for -40 <= x, with what was rounded away from it."""
    k, r, rest = reduced(x)
    high, low = beyond_one(r, rest)
    half = value((k << 52) + BITS_HALF)
    total, lost = sum_exact(half - 0.5, half * high)
    return 2.0 * total, 2.0 * (lost + half * low)


def expm1(x: Real) -> Real:
    """exp(x) - 1."""
    high, low = expm1_exact(x)
    return with_sign_of(where(x > EXP_MOST, INF, where(x < -40.0, -1.0, high + low)), x)


def exprel(x: Real) -> Real:
    """(exp(x) - 1)/x; 1 for x = 0."""
    k, r, rest = reduced(x)
    high, low = beyond_one(r, rest)
    large = (1.0 + (high + low)) * value((k << 52) + BITS_HALF - BITS_2_64)
    quotient = where(x > 700.0, (large / x) * 36893488147419103232.0, expm1(x) / x)
    return where(x > 717.0, INF, where(absolute(x) < LEAST, 1.0, quotient))


def half_exp(a: Real) -> tuple[Real, Real]:
    """exp(a)/2 with what was rounded away from it."""
    k, r, rest = reduced(a)
    high, low = beyond_one(r, rest)
    y, lost = sum_ordered(1.0, high)
    scale = value((k << 52) + BITS_QUARTER)
    return (y + y) * scale, ((lost + low) * 2.0) * scale


def sinh(x: Real) -> Real:
    """(exp(x) - exp(-x))/2."""
    a = absolute(x)
    half, lost = half_exp(a)
    large = half + (lost - 0.25 / half)
    z = x * x
    small = a + a * z * polynomial(z, SINH)
    return with_sign_of(where(a > SINH_MOST, INF, where(a < 0.5, small, large)), x)


def cosh(x: Real) -> Real:
    """(exp(x) + exp(-x))/2."""
    a = absolute(x)
    half, lost = half_exp(a)
    return where(a > SINH_MOST, INF, half + (lost + 0.25 / half))


def tanh(x: Real) -> Real:
    """sinh(x)/cosh(x), as t/(t + 2) with t = exp(2x) - 1."""
    a = absolute(x)
    t, t_low = expm1_exact(2.0 * where(a > 22.0, 22.0, a))
    d, d_low = sum_exact(t, 2.0)
    y = t / d
    return with_sign_of(y + (t_low - y * (d_low + t_low)) / d, x)
