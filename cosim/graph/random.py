"""Counter-based random numbers: a pure function of (seed, purpose, ids), so no draw depends on any other.

The generator is SplitMix64's finaliser (Steele, Lea & Flood 2014, doi:10.1145/2660193.2660195) chained over the
counters; the normal quantile is algorithm AS 241 (Wichura 1988, doi:10.2307/2347330). All floating-point steps are
plain IEEE operations (the logarithm included), so C code written after these functions gives the same bits.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
LN2 = 0.6931471805599453


def stream(seed: int, purpose: str) -> np.uint64:
    """The 64-bit key of one purpose (e.g. ``population/EX/tau_m``) under one seed."""
    digest = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()
    return np.uint64(int.from_bytes(digest[:8], "little"))


def mix(z: U64) -> U64:
    """SplitMix64 finaliser, elementwise (modulo 2^64); works in place on its argument."""
    z ^= z >> _S30
    z *= _M1
    z ^= z >> _S27
    z *= _M2
    z ^= z >> _S31
    return z


def hashes(key: np.uint64 | U64, *ids: NDArray[np.integer]) -> U64:
    """64 random bits per element, a function of the key (or a key for each) and the (broadcast) ids."""
    with np.errstate(over="ignore"):
        state: U64 = np.atleast_1d(np.asarray(key, dtype=np.uint64))
        for counter in ids:
            state = mix(state + (np.asarray(counter).astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    return state


def to_unit(bits: U64) -> F64:
    """Bits to the open interval (0, 1): the 53 high bits, centred in their cell."""
    return np.asarray(((bits >> _S11).astype(np.float64) + 0.5) * 2.0**-53)


def uniforms(key: np.uint64, *ids: NDArray[np.integer]) -> F64:
    """Uniform numbers in (0, 1), one per element of the broadcast ids."""
    return to_unit(hashes(key, *ids))


def exact_log(x: F64) -> F64:
    """Natural logarithm of normal positive numbers from +, *, / alone (relative error below 1e-15)."""
    m, e = np.frexp(x)
    low = m < 0.7071067811865476
    m = np.where(low, m * 2.0, m)
    e = np.where(low, e - 1, e).astype(np.float64)
    s = (m - 1.0) / (m + 1.0)
    z = s * s
    p = np.full_like(z, 1.0 / 21.0)
    for k in range(19, 0, -2):
        p = p * z + 1.0 / k
    return np.asarray(e * LN2 + 2.0 * s * p)


# AS 241, PPND16: numerators and denominators, highest power first
_A = (2509.0809287301226727, 33430.575583588128105, 67265.770927008700853, 45921.953931549871457,
      13731.693765509461125, 1971.5909503065514427, 133.14166789178437745, 3.387132872796366608)  # fmt: skip
_B = (5226.495278852854561, 28729.085735721942674, 39307.89580009271061, 21213.794301586595867,
      5394.1960214247511077, 687.1870074920579083, 42.313330701600911252, 1.0)  # fmt: skip
_C = (7.7454501427834140764e-4, 0.0227238449892691845833, 0.24178072517745061177, 1.27045825245236838258,
      3.64784832476320460504, 5.7694972214606914055, 4.6303378461565452959, 1.42343711074968357734)  # fmt: skip
_D = (1.05075007164441684324e-9, 5.475938084995344946e-4, 0.0151986665636164571966, 0.14810397642748007459,
      0.68976733498510000455, 1.6763848301838038494, 2.05319162663775882187, 1.0)  # fmt: skip
_E = (2.01033439929228813265e-7, 2.71155556874348757815e-5, 0.0012426609473880784386, 0.026532189526576123093,
      0.29656057182850489123, 1.7848265399172913358, 5.4637849111641143699, 6.6579046435011037772)  # fmt: skip
_F = (2.04426310338993978564e-15, 1.4215117583164458887e-7, 1.8463183175100546818e-5, 7.868691311456132591e-4,
      0.0148753612908506148525, 0.13692988092273580531, 0.59983220655588793769, 1.0)  # fmt: skip
AS241 = {"A": _A, "B": _B, "C": _C, "D": _D, "E": _E, "F": _F}


def _ratio(numerator: tuple[float, ...], denominator: tuple[float, ...], x: F64) -> F64:
    top, bottom = np.full_like(x, numerator[0]), np.full_like(x, denominator[0])
    for a, b in zip(numerator[1:], denominator[1:], strict=True):
        top, bottom = top * x + a, bottom * x + b
    return np.asarray(top / bottom)


def normal_quantile(p: F64) -> F64:
    """Inverse of the standard normal distribution function, p in (0, 1) (AS 241, about 16 digits)."""
    q = p - 0.5
    out = q * _ratio(_A, _B, 0.180625 - q * q)
    tail = np.abs(q) > 0.425
    if tail.any():
        qt = q[tail]
        r = np.sqrt(-exact_log(np.where(qt < 0, p[tail], 1.0 - p[tail])))
        near = _ratio(_C, _D, r - 1.6)
        far = _ratio(_E, _F, r - 5.0)
        out[tail] = np.where(r <= 5.0, near, far) * np.where(qt < 0, -1.0, 1.0)
    return out


def normals(key: np.uint64, *ids: NDArray[np.integer]) -> F64:
    """Standard normal numbers, one per element of the broadcast ids."""
    return normal_quantile(uniforms(key, *ids))
