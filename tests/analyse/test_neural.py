"""Measures of spike trains with known rates and onsets."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.analyse import neural


def test_mean_rate_counts_a_half_open_interval() -> None:
    times = np.array([0.0, 0.999, 1.0, 1.5, 2.0])
    assert neural.mean_rate(times, 2, 1.0, 2.0) == 1.0
    assert np.isnan(neural.mean_rate(times, 0, 1.0, 2.0))
    assert np.isnan(neural.mean_rate(times, 2, 1.0, 1.0))


def test_population_rate_keeps_the_number_of_spikes() -> None:
    rng = np.random.default_rng(0)
    times = np.sort(rng.uniform(1.0, 3.0, 4000))
    ids = rng.integers(0, 10, 4000)
    channel = np.array([0] * 4 + [1] * 5 + [-1])
    raw = neural.population_rate(times, ids, channel, 1.0, 3.0, smooth=0.0)
    assert raw.shape == (400, 2)
    assert raw[:, 0].sum() * 0.005 * 4 == pytest.approx(np.count_nonzero(ids < 4), rel=1e-9)
    assert raw[:, 1].sum() * 0.005 * 5 == pytest.approx(np.count_nonzero((ids >= 4) & (ids < 9)), rel=1e-9)


def test_smoothing_leaves_a_constant_rate_and_weakens_a_sine_as_a_gaussian_does() -> None:
    regular = np.arange(0, 2.0, 0.005) + 0.001
    ids = np.zeros(len(regular), dtype=np.int64)
    rates = neural.population_rate(regular, ids, np.array([0]), 0.0, 2.0)
    np.testing.assert_allclose(rates[:, 0], 200.0, rtol=1e-9)
    t = np.arange(2000) * 0.005
    count = np.round(1000 * (1 + np.cos(2 * np.pi * 2.0 * t))).astype(int)
    times = np.repeat(t + 0.001, count)
    rates = neural.population_rate(times, np.zeros(len(times), dtype=np.int64), np.array([0]), 0.0, 10.0)
    height = np.ptp(rates[500:1500, 0]) / 2 / (1000 / 0.005)
    assert height == pytest.approx(np.exp(-((2 * np.pi * 2.0 * 0.02) ** 2) / 2), rel=1e-3)


def test_latency_to_the_first_sample_that_deviates() -> None:
    time = np.arange(2000) * 1e-3
    values = np.zeros((2000, 3))
    values[1042:, 1] = 0.1
    values[1060:, 2] = 5.0
    assert neural.latency(time, values, 1.0) == pytest.approx(0.042, abs=1e-12)
    assert neural.latency(time, values, 1.0, threshold=1.0) == pytest.approx(0.060, abs=1e-12)
    assert np.isnan(neural.latency(time, values, 1.0, threshold=6.0))
    assert np.isnan(neural.latency(time, values, 1.5, threshold=10.0))


def test_latency_ignores_what_the_signal_did_before() -> None:
    time = np.arange(2000) * 1e-3
    values = np.random.default_rng(0).normal(0, 1, 2000)
    values[1030:] += 100
    assert neural.latency(time, values, 1.0, sds=6.0) == pytest.approx(0.030, abs=1e-12)


def test_latency_without_a_before_or_an_after_does_not_exist() -> None:
    time = np.arange(100) * 1e-3
    assert np.isnan(neural.latency(time, np.ones(100), 0.0))
    assert np.isnan(neural.latency(time, np.ones(100), 1.0))
    assert np.isnan(neural.latency(time, np.ones(100), 0.05))


def test_response_is_the_largest_deviation_and_the_time_to_half_of_it() -> None:
    time = np.arange(400) * 1e-3
    rise = np.where(time > 0.1, 1 - np.exp(-(time - 0.1) / 20e-3), 0.0)
    for size in (3.0, -2.0):
        amplitude, latency = neural.response(time, 7.0 + size * rise, 0.1)
        assert amplitude == pytest.approx(size, rel=1e-6)
        assert latency == pytest.approx(20e-3 * np.log(2), abs=1e-3)  # in steps of 1 ms
    amplitude, _ = neural.response(time, rise, 0.1, end=0.12)
    assert amplitude == pytest.approx(1 - np.exp(-1))
    assert np.isnan(neural.response(time, rise, -1.0)).all() and np.isnan(neural.response(time, rise, 1.0)).all()
