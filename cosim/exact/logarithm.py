"""Logarithms and powers: x = 2^e m with sqrt(1/2) <= m < sqrt(2), log(m) = 2 artanh(s) with s = (m - 1)/(m + 1)."""

from __future__ import annotations

from cosim.exact.constants import (
    ARTANH,
    ARTANH_REST,
    BITS_2_52,
    BITS_HALF,
    BITS_MANTISSA,
    BITS_ONE,
    BITS_SQRT_HALF,
    EXPONENT_ZERO,
    INF,
    INV_LN10_HIGH,
    INV_LN10_LOW,
    LEAST,
    LN2_HIGH,
    LN2_LOW,
    MOST,
    NAN,
    THIRD,
    THIRD_LOW,
)
from cosim.exact.exponential import EXP_LEAST, EXP_MOST, beyond_one, reduced
from cosim.exact.operations import Real, absolute, bits, polynomial, value, where, whole, with_sign_of
from cosim.exact.sums import product_exact, sum_exact, sum_ordered

#: beyond, x to the power y is 0, 1 or infinite: 2^64
POWER_MOST = 18446744073709551616.0


def exponent_and_rest(x: Real) -> tuple[Real, Real]:
    """e and m - 1 of positive normal numbers."""
    moved = bits(x) + (BITS_ONE - BITS_SQRT_HALF)
    e = value((moved >> 52) | BITS_2_52) - EXPONENT_ZERO
    m = value((moved & BITS_MANTISSA) + BITS_SQRT_HALF)
    return e, m - 1.0


def edges(x: Real, y: Real) -> Real:
    """y, the logarithm of x, where x has one; denormal numbers count as zero."""
    return where(x >= LEAST, where(x > MOST, INF, y), where(x <= -LEAST, NAN, where(x == x, -INF, NAN)))


def log(x: Real) -> Real:
    """The natural logarithm."""
    e, f = exponent_and_rest(x)
    s = f / (2.0 + f)
    z = s * s
    h = 0.5 * f * f
    y = e * LN2_HIGH + (f - (h - (s * (h + 2.0 * z * polynomial(z, ARTANH)) + e * LN2_LOW)))
    return edges(x, y)


def log_exact(x: Real) -> tuple[Real, Real]:
    """The natural logarithm of positive normal numbers with what was rounded away from it (2^-65 of it is lost)."""
    e, f = exponent_and_rest(x)
    d = 2.0 + f
    d_low = f - (d - 2.0)
    s = f / d
    p, p_low = product_exact(s, d)
    s_low = (((f - p) - p_low) - s * d_low) / d
    z, z_low = product_exact(s, s)
    z_low2 = z_low + 2.0 * s * s_low
    c, c_low = sum_ordered(THIRD, THIRD_LOW + z * polynomial(z, ARTANH_REST))
    w, w_low = product_exact(z, c)
    v, v_low = product_exact(s, w)
    y, y_low = sum_ordered(s, v)
    rest = y_low + (s_low + (v_low + (s * (w_low + (z * c_low + z_low2 * c)) + s_low * w)))
    total, lost = sum_exact(e * LN2_HIGH, 2.0 * y)
    return sum_ordered(total, lost + (e * LN2_LOW + 2.0 * rest))


def log10(x: Real) -> Real:
    """The logarithm to base 10."""
    high, low = log_exact(x)
    p, p_low = product_exact(high, INV_LN10_HIGH)
    return edges(x, p + (p_low + (high * INV_LN10_LOW + low * INV_LN10_HIGH)))


def log1p(x: Real) -> Real:
    """log(1 + x)."""
    u, u_low = sum_exact(x, 1.0)
    high, low = log_exact(u)
    return with_sign_of(edges(u, high + (low + u_low / u)), x)


def power(x: Real, y: Real) -> Real:
    """x to the power y."""
    a = absolute(x)
    high, low = log_exact(a)
    n = where(absolute(y) > POWER_MOST, with_sign_of(POWER_MOST, y), y)
    p, p_low = product_exact(n, high)
    k, r, rest = reduced(p)
    r2, rest2 = sum_ordered(r, rest + (p_low + n * low))
    more, more_low = beyond_one(r2, rest2)
    z = 1.0 + (more + more_low)
    finite = (z + z) * value((k << 52) + BITS_HALF)
    size = where(p > EXP_MOST, INF, where(p < EXP_LEAST, 0.0, finite))
    ends = where((a < LEAST) == (y > 0.0), 0.0, INF)
    size2 = where((a < LEAST) | (a > MOST), ends, size)
    half = 0.5 * y
    odd = (whole(y) == y) & (whole(half) != half)
    turned = where(odd, with_sign_of(size2, x), size2)
    defined = where((x <= -LEAST) & (x >= -MOST) & (whole(y) != y), NAN, turned)
    return where((x == 1.0) | (absolute(y) < LEAST), 1.0, where((x == x) & (y == y), defined, NAN))
