"""The numbers of cosim/exact/constants.py, from their definitions in 200 bits.

    python -m tests.studies.exact_constants > cosim/exact/constants.py

The polynomials go through the Chebyshev nodes of their range, which is within a factor of two of the best there is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

import mpmath as mp

mp.mp.prec = 200
Number = mp.mpf

HEADER = '''"""What the functions are made of, written by tests/studies/exact_constants.py, where it is explained."""

from math import inf, nan

import numpy as np
'''


def through(f: Callable[[Number], Number], last: Number, first: Number, degree: int) -> tuple[float, ...]:
    """The polynomial that equals f in the Chebyshev nodes of [first, last], lowest power first."""
    n = degree + 1
    nodes = [(first + last + (last - first) * mp.cospi(Number(2 * i + 1) / (2 * n))) / 2 for i in range(n)]
    matrix = mp.matrix(n, n)
    for i, x in enumerate(nodes):
        for j in range(n):
            matrix[i, j] = x**j
    return tuple(float(c) for c in mp.lu_solve(matrix, mp.matrix([f(x) for x in nodes])))


def of_square(odd: Callable[[Number], Number], top: Number, degree: int) -> tuple[float, ...]:
    """P with odd(x) = x + x^3 P(x^2) for |x| <= top."""
    return through(lambda u: (odd(mp.sqrt(u)) / mp.sqrt(u) - 1) / u, (top * WIDER) ** 2, Number(0), degree)


#: a little beyond the range that reduction leads to in exact arithmetic
WIDER = Number(1.0005)
HALF_LN2 = mp.log(2) / 2 * WIDER
TOP_S = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)


def polynomials() -> Iterator[tuple[str, str, tuple[float, ...]]]:
    """Name, meaning and coefficients."""
    yield "EXP", "(exp(r) - 1 - r)/r^2, |r| <= ln(2)/2", through(
        lambda r: (mp.exp(r) - 1 - r) / r**2 if r else Number(0.5), HALF_LN2, -HALF_LN2, 10)  # fmt: skip
    yield "EXP_SHORT", "the same, |r| <= ln(2)/128", through(
        lambda r: (mp.exp(r) - 1 - r) / r**2 if r else Number(0.5), HALF_LN2 / 64, -HALF_LN2 / 64, 3)  # fmt: skip
    yield "SINH", "(sinh(x)/x - 1)/z, z = x^2, |x| <= 1/2", of_square(mp.sinh, Number(0.5), 6)
    artanh = of_square(mp.atanh, TOP_S, 7)
    yield "ARTANH", "(artanh(s)/s - 1)/z, z = s^2, s up to that of sqrt(2)", artanh
    yield "ARTANH_REST", "(that - 1/3)/z", through(
        lambda u: ((mp.atanh(mp.sqrt(u)) / mp.sqrt(u) - 1) / u - Number(1) / 3) / u, (TOP_S * WIDER) ** 2, Number(0), 7,
    )  # fmt: skip
    yield "SIN", "(sin(r)/r - 1)/z, z = r^2, |r| <= pi/4", of_square(mp.sin, mp.pi / 4, 6)
    yield "COS", "(cos(r) - 1 + z/2)/z^2, z = r^2, |r| <= pi/4", through(
        lambda u: (mp.cos(mp.sqrt(u)) - 1 + u / 2) / u**2, (mp.pi / 4 * WIDER) ** 2, Number(0), 6)  # fmt: skip
    yield "ARCTAN", "(arctan(x)/x - 1)/z, z = x^2, |x| <= 1/2", of_square(mp.atan, Number(0.5), 13)
    yield "ARCSIN", "(arcsin(x)/x - 1)/z, z = x^2, |x| <= 1/2", of_square(mp.asin, Number(0.5), 13)


def pair(x: Number, bits: int = 53) -> tuple[float, float]:
    """The first bits of a number, and the rest."""
    with mp.workprec(bits):
        high = +x
    return float(high), float(x - high)


def pieces(x: Number) -> tuple[float, ...]:
    """Three pieces of 26 bits and the rest."""
    found = []
    for _ in range(3):
        high, _ = pair(x, 26)
        found.append(high)
        x -= high
    return *found, float(x)


def numbers() -> Iterator[tuple[str, float]]:
    """All single numbers."""
    yield "ROUND", 1.5 * 2.0**52  # added and taken away again, it rounds to a whole number
    yield "INV_LN2", float(1 / mp.log(2))
    # 2^11 times it is exact
    yield from zip(("LN2_HIGH", "LN2_LOW"), pair(mp.log(2), 40), strict=True)
    yield "INV_LN2_64", float(64 / mp.log(2))
    yield from zip(("LN2_64_HIGH", "LN2_64_LOW"), pair(mp.log(2) / 64, 34), strict=True)  # 2^17 times it is exact
    yield from zip(("INV_LN10_HIGH", "INV_LN10_LOW"), pair(1 / mp.log(10)), strict=True)
    yield from zip(("THIRD", "THIRD_LOW"), pair(Number(1) / 3), strict=True)
    yield "INV_HALF_PI", float(2 / mp.pi)
    yield from zip((f"HALF_PI_{i}" for i in (1, 2, 3, 4)), pieces(mp.pi / 2), strict=True)
    for name, x in (("PI", mp.pi), ("HALF_PI", mp.pi / 2), ("QUARTER_PI", mp.pi / 4)):
        yield from zip((name, f"{name}_LOW"), pair(x), strict=True)
    yield "LEAST", 2.0**-1022
    yield "MOST", float(2**1024 - 2**971)
    yield "EXPONENT_ZERO", 2.0**52 + 1023


def patterns() -> Iterator[tuple[str, int]]:
    """All numbers that stand for bits."""
    for name, x in (
        ("ONE", 1.0),
        ("HALF", 0.5),
        ("QUARTER", 0.25),
        ("SQRT_HALF", float(mp.sqrt(0.5))),
        ("2_52", 2.0**52),
    ):
        yield f"BITS_{name}", int.from_bytes(struct.pack(">d", x), "big")
    yield "BITS_MANTISSA", 2**52 - 1
    yield "BITS_SIGN", 2**63
    yield "BITS_2_64", 64 << 52  # added, it multiplies by 2^64


def text() -> str:
    """The module."""
    lines = [HEADER, "INF, NAN = inf, nan"]
    lines += [f"{name} = {x!r}" for name, x in numbers()]
    lines += [f"{name} = np.uint64(0x{x:016X})" for name, x in patterns()]
    roots = [float(mp.power(2, Number(j) / 64)) for j in range(64)]
    lines += ["", "#: 2^(j/64)", f"ROOTS = np.array({roots!r})"]
    for name, meaning, found in polynomials():
        lines += ["", f"#: {meaning}", f"{name} = (", *(f"    {c!r}," for c in found), ")"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(text(), end="")
