"""Intervals and effect sizes of few paired runs."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cosim.graph.random import stream, uniforms
from cosim.sweep.distributions import LEVEL, noncentrality_interval, normal_cdf, t_quantile

F64 = NDArray[np.float64]
NAN = float("nan")

#: resamples of a bootstrap
RESAMPLES = 10_000
#: quantile of the normal distribution that leaves 2.5 % above it
_Z = 1.959963984540054


@dataclass(frozen=True)
class Interval:
    """Ends of a 95 % interval, NaN where there is none."""

    low: float = NAN
    high: float = NAN

    @property
    def holds_zero(self) -> bool:
        """Whether 0 lies inside; also where there is no interval."""
        return not (self.low > 0 or self.high < 0)


def bootstrap(values: F64, statistic: Callable[[F64], F64] | None = None) -> Interval:
    """95 % bootstrap interval of a function of means.

    Parameters
    ----------
    values: (n,) or (n, k), k quantities of each of n runs, which are drawn together.
    statistic: from means (resamples, k) to (resamples,); without it the mean of the only quantity.

    The ends are percentiles of 10 000 resamples, not at 2.5 and 97.5 % but further out, at
    Phi(-+ sqrt(n/(n - 1)) t_{n-1}): the "expanded" percentile interval (Hesterberg 2015,
    doi:10.1080/00031305.2015.1089789, section 5.3), because the plain one and the BCa are too narrow with few seeds
    (5 normal values: they cover 83 %, this one 92 %). Which runs a resample takes depends on n alone, so equal values
    give equal bits. No interval (NaN) for fewer than two runs; for fewer than five it reaches from the lowest to the
    highest value or nearly so, and covers less than 95 %.
    """
    n = len(values)
    if n < 2:
        return Interval()
    columns = values.reshape(n, -1)
    means = columns[_resamples(n)].mean(axis=1)
    drawn = means[:, 0] if statistic is None else statistic(means)
    if not np.isfinite(drawn).all():
        return Interval()
    tail = _tail(n)
    low, high = np.quantile(drawn, [tail, 1.0 - tail])
    return Interval(float(low), float(high))


@lru_cache(maxsize=64)
def _tail(n: int) -> float:
    factor = math.sqrt(n / (n - 1)) * t_quantile((1.0 + LEVEL) / 2.0, n - 1)
    return float(normal_cdf(np.array(-factor)))


@lru_cache(maxsize=4)
def _resamples(n: int) -> NDArray[np.int64]:
    """(RESAMPLES, n) numbers of runs, each in 0 to n - 1."""
    draws = uniforms(stream(0, f"bootstrap/{n}"), np.arange(RESAMPLES)[:, None], np.arange(n)[None, :])
    return np.asarray(np.floor(draws * n), dtype=np.int64)


def wilson(successes: int, n: int) -> Interval:
    """95 % score interval of a rate (Wilson 1927, doi:10.1080/01621459.1927.10502953); none for n = 0."""
    if n == 0:
        return Interval()
    rate, z2 = successes / n, _Z * _Z
    centre = rate + z2 / (2 * n)
    half = _Z * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n * n))
    low, high = (centre - half) / (1 + z2 / n), (centre + half) / (1 + z2 / n)
    # exactly 0 and 1 at the ends, where rounding would leave 1e-17
    return Interval(0.0 if successes == 0 else low, 1.0 if successes == n else high)


def mean_interval(mean: float, sd: float, n: float) -> Interval:
    """95 % t interval of a mean of which only n, mean and SD are known (a published one); none without them."""
    if not (n >= 2 and sd >= 0):
        return Interval()
    half = t_quantile((1.0 + LEVEL) / 2.0, int(n) - 1) * sd / math.sqrt(n)
    return Interval(mean - half, mean + half)


@dataclass(frozen=True)
class Effect:
    """A standardised effect size with its interval; NaN where the differences do not vary or there is only one."""

    size: float = NAN
    interval: Interval = Interval()


def paired_effect(differences: F64) -> Effect:
    """Hedges' correction of Cohen's d_z, the mean of paired differences over their standard deviation.

    d_z = mean/SD (Cohen 1988, section 2.3.5; Lakens 2013, doi:10.3389/fpsyg.2013.00863, eq. 6); g_z = J(n - 1) d_z with
    J(m) = Gamma(m/2)/(sqrt(m/2) Gamma((m - 1)/2)) (Hedges 1981, doi:10.3102/10769986006002107, eq. 6e). The interval is
    exact for normal differences: d_z sqrt(n) is noncentral t with n - 1 degrees of freedom (Steiger & Fouladi 1997).
    J(1) does not exist: two pairs give none.
    """
    n = len(differences)
    if n < 3:
        return Effect()
    mean, sd = float(differences.mean()), float(differences.std(ddof=1))
    # what is left of equal differences is rounding error
    if sd <= 1e-12 * float(np.abs(differences).max()):
        return Effect()
    m = n - 1
    correction = math.exp(math.lgamma(m / 2) - math.lgamma((m - 1) / 2)) / math.sqrt(m / 2)
    root = math.sqrt(n)
    low, high = noncentrality_interval(mean / sd * root, m)
    return Effect(correction * mean / sd, Interval(correction * low / root, correction * high / root))
