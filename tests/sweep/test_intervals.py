"""Intervals, effect sizes and tests of significance against known values, formulas and enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from cosim.sweep.distributions import noncentral_t_cdf, noncentrality_interval, t_quantile
from cosim.sweep.intervals import Interval, bootstrap, mean_interval, paired_effect, wilson
from cosim.sweep.significance import EXACT_PAIRS, holm, pairs_needed, sign_flip, smallest_p

D = np.array([0.3, -0.1, 0.4, 0.2, 0.5])


@pytest.mark.parametrize(
    ("df", "t"), [(1, 12.706204736432095), (2, 4.302652729911275), (4, 2.7764451051977934), (29, 2.045229642132703)]
)
def test_quantiles_of_student_t_as_tabulated(df: int, t: float) -> None:
    assert t_quantile(0.975, df) == pytest.approx(t, rel=1e-9)


def test_t_of_one_and_two_degrees_of_freedom_in_closed_form() -> None:
    for t in (-40.0, -1.0, 0.0, 0.3, 2.0, 1e3):
        assert noncentral_t_cdf(t, 1, 0.0) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-10)
        assert noncentral_t_cdf(t, 2, 0.0) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-10)


@pytest.mark.parametrize(
    # scipy.stats.nct.cdf (scipy 1.17.1)
    ("t", "df", "shift", "p"),
    [
        (3.0, 4, 1.5, 0.8207589750585633),
        (29.0, 9, 30.0, 0.3826071705883427),
        (-2.0, 3, -1.5, 0.40032373162910706),
        (0.0, 5, 1.0, 0.15865525393145707),
    ],
)
def test_noncentral_t(t: float, df: int, shift: float, p: float) -> None:
    assert noncentral_t_cdf(t, df, shift) == pytest.approx(p, abs=1e-9)


@pytest.mark.parametrize("t", [0.0, 3.0, -25.0, 1e6])
def test_the_ends_of_a_noncentrality_interval_leave_equal_tails(t: float) -> None:
    low, high = noncentrality_interval(t, 4)
    assert noncentral_t_cdf(t, 4, low) == pytest.approx(0.975, abs=1e-7)
    assert noncentral_t_cdf(t, 4, high) == pytest.approx(0.025, abs=1e-7)


def test_bootstrap_of_two_values_reaches_from_one_to_the_other() -> None:
    assert bootstrap(np.array([1.0, 3.0])) == Interval(1.0, 3.0)
    assert bootstrap(np.array([2.0, 2.0, 2.0])) == Interval(2.0, 2.0)
    assert math.isnan(bootstrap(np.array([1.0])).low)


def test_bootstrap_of_many_values_is_the_normal_interval() -> None:
    x = np.random.default_rng(0).normal(5.0, 2.0, 400)
    found, half = bootstrap(x), t_quantile(0.975, 399) * x.std(ddof=1) / 20
    assert (found.low, found.high) == pytest.approx((x.mean() - half, x.mean() + half), abs=0.02)
    moved = bootstrap(3 * x + 1)
    assert (moved.low, moved.high) == pytest.approx((3 * found.low + 1, 3 * found.high + 1), rel=1e-12)


def test_bootstrap_covers_as_it_says_it_does() -> None:
    """Five normal values: 92 % where plain percentiles cover 83 %, for 95 % would need values beyond the sample's."""
    draws = np.random.default_rng(1).normal(size=(600, 5))
    covered = np.mean([found.low <= 0 <= found.high for found in map(bootstrap, draws)])
    assert covered == pytest.approx(0.92, abs=0.03)


def test_bootstrap_draws_the_quantities_of_a_run_together() -> None:
    x = np.array([1.0, 2.0, 4.0, 8.0])
    ratio = bootstrap(np.stack([x, 2 * x], axis=1), lambda means: means[:, 1] / means[:, 0])
    assert (ratio.low, ratio.high) == (2.0, 2.0)


def test_wilson_by_its_formula_and_at_the_ends() -> None:
    # 1.96 standard errors (of the rate that is the end) from the observed rate: the definition of the score interval
    for k, n in ((1, 5), (4, 5), (30, 64)):
        found = wilson(k, n)
        for end in (found.low, found.high):
            assert abs(k / n - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / n), rel=1e-6)
    z2 = 1.959963984540054**2
    assert (wilson(0, 5).low, wilson(0, 5).high) == (0.0, pytest.approx(z2 / (5 + z2), rel=1e-12))
    assert (wilson(5, 5).low, wilson(5, 5).high) == (pytest.approx(5 / (5 + z2), rel=1e-12), 1.0)
    assert math.isnan(wilson(0, 0).low)


def test_interval_of_a_published_mean() -> None:
    found = mean_interval(-0.4, 0.15, 6)
    assert found.high + 0.4 == pytest.approx(2.5705818366147 * 0.15 / math.sqrt(6), rel=1e-9)
    assert math.isnan(mean_interval(1.0, math.nan, 6).low) and math.isnan(mean_interval(1.0, 0.1, 1).low)
    assert Interval().holds_zero and Interval(-1.0, 1.0).holds_zero and not found.holds_zero


def test_effect_size_by_its_formula() -> None:
    found = paired_effect(D)
    # J(4) = Gamma(2)/(sqrt(2) Gamma(3/2)) = sqrt(2/pi)
    assert found.size == pytest.approx(math.sqrt(2 / math.pi) * 0.26 / np.std(D, ddof=1), rel=1e-12)
    assert found.interval.low < found.size < found.interval.high
    turned = paired_effect(-D)
    assert (turned.size, turned.interval.low) == pytest.approx((-found.size, -found.interval.high), rel=1e-9)
    scaled = paired_effect(1e-3 * D)
    assert scaled.size == pytest.approx(found.size, rel=1e-12)


@pytest.mark.parametrize("d", [[0.1] * 5, [0.0] * 5, [0.1 + 0.2, 0.3, 0.3], [1.0, 2.0], [1.0], []])
def test_no_effect_size_where_differences_do_not_vary_or_are_too_few(d: list[float]) -> None:
    found = paired_effect(np.array(d))
    assert math.isnan(found.size) and math.isnan(found.interval.low)


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_sign_flip_is_the_count_over_all_assignments(n: int) -> None:
    d = np.random.default_rng(n).normal(0.5, 1.0, n)
    sums = [abs(sum(s * x for s, x in zip(signs, d, strict=True))) for signs in itertools.product((1, -1), repeat=n)]
    assert sign_flip(d) == np.mean(np.array(sums) >= abs(d.sum()) - 1e-12)
    assert sign_flip(np.abs(d)) == smallest_p(n) == 2 / 2**n


def test_sign_flip_by_hand() -> None:
    # of 32 assignments the sums of D and of D with -0.1 turned, and their opposites, are at least 1.3
    assert sign_flip(D) == 4 / 32
    assert sign_flip(np.zeros(4)) == 1.0
    assert sign_flip(np.array([0.1, 0.2, 0.3])) == sign_flip(np.array([0.3, 0.1, 0.2])) == 0.25
    assert math.isnan(sign_flip(np.array([])))


def test_sign_flip_of_many_pairs_is_drawn_and_repeats() -> None:
    d = np.random.default_rng(3).normal(0.35, 1.0, 40)
    normal = math.erfc(abs(d.sum()) / math.sqrt(2 * float(d @ d)))
    assert sign_flip(d) == pytest.approx(normal, abs=0.005)
    assert sign_flip(d) == sign_flip(d)
    assert sign_flip(np.full(40, 1.0)) == smallest_p(40)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02], rel=1e-12)
    assert holm([0.5, math.nan, 0.6]) == pytest.approx([1.0, math.nan, 1.0], nan_ok=True)
    assert holm([]) == []


def test_pairs_needed() -> None:
    assert (pairs_needed(1), pairs_needed(2), pairs_needed(20)) == (6, 7, 10)
    assert pairs_needed(10**6) == EXACT_PAIRS + 1
