"""The random functions of cosim.neural.draws in C++: the same operations in the same order, so the same bits."""

from __future__ import annotations

from cosim.graph.random import AS241, LN2


def _horner(names: tuple[float, ...], x: str) -> str:
    """A polynomial in `x`, coefficients from the highest power down."""
    text = f"{names[0]!r}"
    for c in names[1:]:
        text = f"({text}*{x} + {c!r})"
    return text


def _log_series() -> str:
    """The series of the logarithm in `z`."""
    text = "(1.0/21.0)"
    for k in range(19, 0, -2):
        text = f"({text}*z + 1.0/{k}.0)"
    return text


SOURCE = f"""
#ifndef COSIM_DRAWS
#define COSIM_DRAWS
#include <cmath>
#include <cstdint>
namespace cosim
{{
static inline uint64_t mix(uint64_t z)
{{
    z ^= z >> 30;
    z *= 0xBF58476D1CE4E5B9ULL;
    z ^= z >> 27;
    z *= 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
}}

static inline double exact_log(double x)
{{
    int e;
    double m = std::frexp(x, &e);
    if (m < 0.7071067811865476)
    {{
        m = m*2.0;
        e = e - 1;
    }}
    const double s = (m - 1.0)/(m + 1.0);
    const double z = s*s;
    const double p = {_log_series()};
    return ((double)e)*{LN2!r} + 2.0*s*p;
}}
}}

static inline double cosim_uniform(int64_t key, int64_t step, int64_t call)
{{
    const uint64_t g = 0x9E3779B97F4A7C15ULL;
    uint64_t h = cosim::mix(((uint64_t)key + 1)*g);
    h = cosim::mix(h + ((uint64_t)step + 1)*g);
    h = cosim::mix(h + ((uint64_t)call + 1)*g);
    return ((double)(h >> 11) + 0.5)*{2.0**-53!r};
}}

static inline double cosim_normal(int64_t key, int64_t step, int64_t call)
{{
    const double p = cosim_uniform(key, step, call);
    const double q = p - 0.5;
    if (q <= 0.425 && q >= -0.425)
    {{
        const double r = 0.180625 - q*q;
        return q*({_horner(AS241["A"], "r")}/{_horner(AS241["B"], "r")});
    }}
    double r = std::sqrt(-cosim::exact_log(q < 0 ? p : 1.0 - p));
    double x;
    if (r <= 5.0)
    {{
        r = r - 1.6;
        x = {_horner(AS241["C"], "r")}/{_horner(AS241["D"], "r")};
    }}
    else
    {{
        r = r - 5.0;
        x = {_horner(AS241["E"], "r")}/{_horner(AS241["F"], "r")};
    }}
    return q < 0 ? -x : x;
}}
#endif
"""
