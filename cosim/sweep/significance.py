"""Whether paired differences could be chance: sign-flip test, and Holm's correction for many comparisons."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cosim.graph.random import hashes, stream

F64 = NDArray[np.float64]

#: up to so many pairs all assignments of signs are counted, beyond so many are drawn: 2^16
EXACT_PAIRS = 16
DRAWS = 1 << 16
_PART = 1 << 13


def sign_flip(differences: F64) -> float:
    """Two-sided p of the mean of paired differences (Fisher 1935, section 21): the share of the 2^n assignments of
    signs whose sum is at least as far from 0 as the observed one.

    Exact up to 16 pairs. With more, 65 536 assignments are drawn (which ones depends on n alone) and the observed one
    is counted with them: (1 + k)/(1 + 65 536). NaN without pairs. The smallest p that n pairs can give is 2/2^n.
    """
    n = len(differences)
    if n == 0:
        return float("nan")
    observed = abs(float(differences.sum()))
    # sums in another order may differ by rounding
    bound = observed - 1e-12 * float(np.abs(differences).sum())
    signs = _signs(n)
    # in parts, because small integers become floats in a product
    parts = (signs[i : i + _PART] for i in range(0, len(signs), _PART))
    extreme = sum(int((np.abs(part @ differences) >= bound).sum()) for part in parts)
    return extreme / len(signs) if n <= EXACT_PAIRS else (1 + extreme) / (1 + DRAWS)


@lru_cache(maxsize=4)
def _signs(n: int) -> NDArray[np.int8]:
    """(assignments, n) of +1 and -1; where all are listed only one of two opposites, as both have the same |sum|."""
    if n <= EXACT_PAIRS:
        numbers = np.arange(1 << (n - 1))[:, None]
        bits = (numbers >> np.arange(n)[None, :]) & 1
    else:
        drawn = hashes(stream(0, f"sign_flip/{n}"), np.arange(DRAWS)[:, None], np.arange(n)[None, :])
        bits = (drawn >> np.uint64(63)).astype(np.int64)
    return np.asarray(1 - 2 * bits, dtype=np.int8)


def holm(p: Sequence[float]) -> list[float]:
    """p-values corrected for their number (Holm 1979): the k-th smallest of m times m - k + 1, monotone, at most 1.

    NaN (no comparison) stays NaN and is not counted.
    """
    values = np.asarray(p, dtype=np.float64)
    corrected = np.full(len(values), np.nan)
    order = np.argsort(values, kind="stable")
    order = order[np.isfinite(values[order])]
    factors = len(order) - np.arange(len(order))
    corrected[order] = np.minimum(np.maximum.accumulate(values[order] * factors), 1.0)
    return [float(value) for value in corrected]


def smallest_p(pairs: int) -> float:
    """The smallest p that so many pairs can give."""
    return 2.0 / 2.0**pairs if pairs <= EXACT_PAIRS else 1.0 / (1 + DRAWS)


def pairs_needed(comparisons: int, level: float = 0.05) -> int:
    """The fewest pairs with which one of so many comparisons can be significant after Holm's correction."""
    pairs = 1
    while smallest_p(pairs) * max(comparisons, 1) > level and pairs <= EXACT_PAIRS:
        pairs += 1
    return pairs
