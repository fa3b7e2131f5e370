"""Values fixed or drawn: from the document's expressions to arrays, with dimensions checked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cosim import exact
from cosim.graph.random import F64, exact_log, normal_quantile, uniforms
from cosim.spec.circuit import Draw
from cosim.spec.units import Dim, Expression, Scope, UnitError, dim_text, kind_text

_BLOCK = 1 << 15


def dimension(value: Draw | Expression, scope: Scope) -> Dim:
    """The dimension of a fixed or drawn value. Raises UnitError."""
    if isinstance(value, Expression):
        return value.evaluate(scope).dim
    if value.exponential is not None:
        return value.exponential.evaluate(scope).dim
    pair = value.normal or value.uniform or value.lognormal
    assert pair is not None
    first, second = (e.evaluate(scope) for e in pair)
    if first.dim != second.dim:
        fits = [v.dim for v in (first, second) if any(v.dim) or np.any(np.asarray(v.value) != 0)]
        if len(fits) != 1:
            raise UnitError(f"the two values of a distribution differ: {dim_text(first.dim)}, {dim_text(second.dim)}")
        return fits[0]
    return first.dim


def _evaluated(expression: Expression, scope: Scope, dim: Dim) -> F64:
    """The value of an expression: an array of shape (), or (size,) where it differs between neurons or edges."""
    result = expression.evaluate(scope)
    plain = np.ndim(result.value) == 0 and result.value in (0, np.inf, -np.inf) and not any(result.dim)
    if result.dim != dim and not plain:
        raise UnitError(f"'{expression.text}': expected {dim_text(dim)}, got {kind_text(result.dim)}")
    return np.asarray(result.value, dtype=np.float64)


def is_constant(value: Draw | Expression, parameters: Scope) -> bool:
    """True if the value is one number for everybody (no draw, nothing but units and document parameters)."""
    return isinstance(value, Expression) and not value.free(parameters)


def names_in(value: Draw | Expression) -> frozenset[str]:
    """The free names of a fixed or drawn value."""
    if isinstance(value, Expression):
        return value.names
    parts = [*(value.normal or ()), *(value.uniform or ()), *(value.lognormal or ()), *(value.clip or ())]
    parts += [value.exponential] if value.exponential is not None else []
    return frozenset().union(*(part.names for part in parts))


def blocks(n: int) -> Iterator[slice]:
    """0 to n in parts whose values and intermediate results fit the cache; one empty part for 0."""
    for begin in range(0, max(n, 1), _BLOCK):
        yield slice(begin, min(begin + _BLOCK, n))


def realise(
    value: Draw | Expression, scope: Scope, size: int, dim: Dim, key: np.uint64, *ids: NDArray[np.integer]
) -> F64:
    """`size` SI floats: the expression broadcast, or the distribution drawn from (key, ids).

    Raises UnitError where a unit does not fit or a distribution has no meaning (negative SD, low above high).
    """
    if isinstance(value, Expression):
        return np.array(np.broadcast_to(_evaluated(value, scope, dim), (size,)))
    return quantiles(value, scope, uniforms(key, *ids), dim)


def quantiles(value: Draw, scope: Scope, u: F64, dim: Dim) -> F64:
    """A distribution's values for numbers `u` in (0, 1), SI; what is uniform in `u` is distributed as the document says
    (an exponential one falls with `u`).

    Raises UnitError where a unit does not fit or a distribution has no meaning (negative SD, low above high).
    """
    if value.normal is not None:
        mean, sd = (_evaluated(e, scope, dim) for e in value.normal)
        if (sd < 0).any():
            raise UnitError("the standard deviation must not be negative")
        drawn = mean + sd * normal_quantile(u)
    elif value.uniform is not None:
        low, high = (_evaluated(e, scope, dim) for e in value.uniform)
        if (high < low).any():
            raise UnitError("uniform: [low, high] must have low <= high")
        drawn = low + (high - low) * u
    elif value.lognormal is not None:
        mean, sd = (_evaluated(e, scope, dim) for e in value.lognormal)
        if (mean <= 0).any() or (sd < 0).any():
            raise UnitError("lognormal: [mean, sd] needs a positive mean and an SD that is not negative")
        variance = exact.log1p((sd / mean) * (sd / mean))
        drawn = mean * exact.exp(np.sqrt(variance) * normal_quantile(u) - variance / 2)
    else:
        assert value.exponential is not None
        drawn = -_evaluated(value.exponential, scope, dim) * exact_log(u)
    if value.clip is not None:
        low, high = (_evaluated(e, scope, dim) for e in value.clip)
        drawn = np.clip(drawn, low, high)
    return drawn
