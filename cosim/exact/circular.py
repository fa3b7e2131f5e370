"""sin, cos and tan by x = q pi/2 + r with |r| <= pi/4, and their inverses.

pi/2 is taken apart into pieces of 26 bits (Cody & Waite 1980), so that q times a piece is exact for q < 2^27.
"""

from __future__ import annotations

from cosim.exact.constants import (
    ARCSIN,
    ARCTAN,
    BITS_SIGN,
    COS,
    HALF_PI,
    HALF_PI_1,
    HALF_PI_2,
    HALF_PI_3,
    HALF_PI_4,
    HALF_PI_LOW,
    INV_HALF_PI,
    NAN,
    PI,
    PI_LOW,
    QUARTER_PI,
    QUARTER_PI_LOW,
    ROUND,
    SIN,
)
from cosim.exact.operations import Bits, Real, absolute, bits, polynomial, square_root, value, where, with_sign_of
from cosim.exact.sums import product_exact, sum_exact, sum_ordered

#: sin, cos and tan are defined for |x| up to here: 2^27 quarter turns
ANGLE_MOST = 210828714.0


def quadrant(a: Real) -> tuple[Bits, Real, Real]:
    """q, as the lowest bits, and r with what was rounded away from it."""
    shifted = a * INV_HALF_PI + ROUND
    q = shifted - ROUND
    one, one_low = sum_exact(a - q * HALF_PI_1, -(q * HALF_PI_2))
    two, two_low = sum_exact(one, -(q * HALF_PI_3))
    r, rest = sum_ordered(two, (one_low + two_low) - q * HALF_PI_4)
    return bits(shifted), r, rest


def sine_parts(r: Real, rest: Real) -> tuple[Real, Real]:
    """sin(r + rest) for |r| <= pi/4, as r and what comes to it."""
    z = r * r
    return r, r * z * polynomial(z, SIN) + rest * (1.0 - 0.5 * z)


def cosine_parts(r: Real, rest: Real) -> tuple[Real, Real]:
    """cos(r + rest) for |r| <= pi/4, as 1 - r^2/2, rounded, and what comes to it."""
    z = r * r
    h = 0.5 * z
    w = 1.0 - h
    return w, ((1.0 - w) - h) + (z * z * polynomial(z, COS) - r * rest)


def sin(x: Real) -> Real:
    """The sine of an angle in radians; nan beyond 2.1e8."""
    a = absolute(x)
    q, r, rest = quadrant(a)
    s, s_low = sine_parts(r, rest)
    c, c_low = cosine_parts(r, rest)
    y = where((q & 1) == 1, c + c_low, s + s_low)
    turned = value(bits(y) ^ ((q & 2) << 62) ^ (bits(x) & BITS_SIGN))
    return where(a <= ANGLE_MOST, turned, NAN)


def cos(x: Real) -> Real:
    """The cosine of an angle in radians; nan beyond 2.1e8."""
    a = absolute(x)
    q, r, rest = quadrant(a)
    s, s_low = sine_parts(r, rest)
    c, c_low = cosine_parts(r, rest)
    y = where((q & 1) == 1, s + s_low, c + c_low)
    return where(a <= ANGLE_MOST, value(bits(y) ^ (((q + 1) & 2) << 62)), NAN)


def tan(x: Real) -> Real:
    """The tangent of an angle in radians; nan beyond 2.1e8."""
    a = absolute(x)
    q, r, rest = quadrant(a)
    s, s_low = sine_parts(r, rest)
    c, c_low = cosine_parts(r, rest)
    sine, sine_low = sum_ordered(s, s_low)
    cosine, cosine_low = sum_ordered(c, c_low)
    odd = (q & 1) == 1
    top, top_low = where(odd, cosine, sine), where(odd, cosine_low, sine_low)
    below, below_low = where(odd, sine, cosine), where(odd, sine_low, cosine_low)
    t = top / below
    p, p_low = product_exact(t, below)
    y = t + (((top - p) - p_low) + (top_low - t * below_low)) / below
    turned = value(bits(y) ^ ((q & 1) << 63) ^ (bits(x) & BITS_SIGN))
    return where(a <= ANGLE_MOST, turned, NAN)


def arctan(x: Real) -> Real:
    """The angle whose tangent is x: that of 1/2 <= |x| <= 2 is counted from pi/4, that of larger ones from pi/2."""
    a = absolute(x)
    large, middle = a > 2.0, a > 0.5
    z = where(large, -1.0, where(middle, a - 1.0, a)) / where(large, a, where(middle, a + 1.0, 1.0))
    base = where(large, HALF_PI, where(middle, QUARTER_PI, 0.0))
    base_low = where(large, HALF_PI_LOW, where(middle, QUARTER_PI_LOW, 0.0))
    u = z * z
    return with_sign_of(base + (z + (z * u * polynomial(u, ARCTAN) + base_low)), x)


def arcsin_parts(a: Real) -> tuple[Real, Real]:
    """s and arcsin(s) - s, where s is a if a <= 1/2, else sqrt((1 - a)/2)."""
    z = where(a > 0.5, 0.5 * (1.0 - a), a * a)
    s = where(a > 0.5, square_root(z), a)
    return s, s * z * polynomial(z, ARCSIN)


def arcsin(x: Real) -> Real:
    """The angle in [-pi/2, pi/2] whose sine is x; nan beyond 1."""
    a = absolute(x)
    s, more = arcsin_parts(a)
    y = where(a > 0.5, HALF_PI - (2.0 * s - (HALF_PI_LOW - 2.0 * more)), s + more)
    return with_sign_of(y, x)


def arccos(x: Real) -> Real:
    """The angle in [0, pi] whose cosine is x; nan beyond 1."""
    s, more = arcsin_parts(absolute(x))
    left = where(
        x < -0.5, PI - (2.0 * s - (PI_LOW - 2.0 * more)), HALF_PI - (x - (HALF_PI_LOW - with_sign_of(more, x)))
    )
    return where(x > 0.5, 2.0 * (s + more), left)
