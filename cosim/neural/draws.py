"""Random numbers inside equations: functions of (neuron's key, network step), the same bits in Python and in
compiled code.

``uniform_draw()`` and ``normal_draw()`` are rewritten to calls with the neuron's 64-bit key `draw_key`, the step and
the number of the call; ``xi`` becomes ``normal_draw()/sqrt(dt)`` held over the step, which under Euler is the
Euler-Maruyama scheme.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cosim.graph.random import AS241, LN2, normal_quantile, uniforms

if TYPE_CHECKING:
    from brian2.core.functions import Function

_CALL = re.compile(r"\b(uniform|normal)_draw\s*\(\s*\)")


def rewrite(text: str, start: int) -> tuple[str, int]:
    """Replace the calls by keyed ones, numbered from `start`; returns the text and the next number."""
    count = start

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"cosim_{match[1]}(draw_key, t_in_timesteps, {count - 1})"

    return _CALL.sub(replace, text), count


def _uniform(key: NDArray[np.int64], step: NDArray[np.int64], call: NDArray[np.int64]) -> NDArray[np.float64]:
    # int64 keys wrap around to the unsigned 64 bits that the compiled code sees
    return uniforms(np.uint64(0), key, step, call)


def _normal(key: NDArray[np.int64], step: NDArray[np.int64], call: NDArray[np.int64]) -> NDArray[np.float64]:
    return normal_quantile(_uniform(key, step, call))


def horner(names: tuple[float, ...], x: str) -> str:
    """A polynomial in `x` as code, coefficients from the highest power down; C and Cython read it alike."""
    text = f"{names[0]!r}"
    for c in names[1:]:
        text = f"({text}*{x} + {c!r})"
    return text


def log_series() -> str:
    """The series of the logarithm in `z` as code; C and Cython read it alike."""
    text = "(1.0/21.0)"
    for k in range(19, 0, -2):
        text = f"({text}*z + 1.0/{k}.0)"
    return text


_CYTHON_UNIFORM = f"""
cdef inline unsigned long long _cs_mix(unsigned long long z) noexcept nogil:
    z = z ^ (z >> 30)
    z = z * 0xBF58476D1CE4E5B9ULL
    z = z ^ (z >> 27)
    z = z * 0x94D049BB133111EBULL
    return z ^ (z >> 31)
cdef inline double cosim_uniform(long long key, long long step, long long call) noexcept nogil:
    cdef unsigned long long g = 0x9E3779B97F4A7C15ULL
    cdef unsigned long long h = _cs_mix((<unsigned long long>key + 1)*g)
    h = _cs_mix(h + (<unsigned long long>step + 1)*g)
    h = _cs_mix(h + (<unsigned long long>call + 1)*g)
    return (<double>(h >> 11) + 0.5)*{2.0**-53!r}
"""

_CYTHON_NORMAL = f"""
from libc.math cimport frexp as _cs_frexp, sqrt as _cs_sqrt
cdef inline double _cs_log(double x) noexcept nogil:
    cdef int e
    cdef double m = _cs_frexp(x, &e)
    if m < 0.7071067811865476:
        m = m*2.0
        e = e - 1
    cdef double s = (m - 1.0)/(m + 1.0)
    cdef double z = s*s
    cdef double p = {log_series()}
    return (<double>e)*{LN2!r} + 2.0*s*p
cdef inline double cosim_normal(long long key, long long step, long long call) noexcept nogil:
    cdef double p = cosim_uniform(key, step, call)
    cdef double q = p - 0.5
    cdef double r, x
    if q <= 0.425 and q >= -0.425:
        r = 0.180625 - q*q
        return q*({horner(AS241["A"], "r")}/{horner(AS241["B"], "r")})
    r = _cs_sqrt(-_cs_log(p if q < 0 else 1.0 - p))
    if r <= 5.0:
        r = r - 1.6
        x = {horner(AS241["C"], "r")}/{horner(AS241["D"], "r")}
    else:
        r = r - 5.0
        x = {horner(AS241["E"], "r")}/{horner(AS241["F"], "r")}
    return -x if q < 0 else x
"""


def functions() -> dict[str, Function]:
    """The two functions for a Brian2 namespace, for numpy, cython and C++ (cosim.neural.draws_cpp has that code)."""
    from brian2.core.functions import Function

    found: dict[str, Function] = {}
    for name, python, code in (("cosim_uniform", _uniform, _CYTHON_UNIFORM), ("cosim_normal", _normal, _CYTHON_NORMAL)):
        function = Function(python, arg_units=[1, 1, 1], return_unit=1, arg_types=["integer"] * 3, return_type="float")
        function.implementations.add_numpy_implementation(python)
        # the normal draws upon the uniform one: named as such, its code comes once where a model uses both
        function.implementations.add_implementation("cython", code, name=name, dependencies=dict(found))
        function.implementations.add_implementation("cpp", "", name=name)
        found[name] = function
    return found
