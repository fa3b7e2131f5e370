"""Rhythm measures on signals whose answer is known exactly."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from cosim.analyse import signals

DT = 1e-3
T = np.arange(8000) * DT


def wave(f: float, phase: float = 0.0) -> np.ndarray:
    """A sine that starts ``phase`` cycles late."""
    return np.sin(2 * np.pi * (f * T - phase))


@pytest.mark.parametrize("f", [0.55, 3.17, 3.2345, 7.777, 19.0])
def test_frequency_between_the_bins_of_the_spectrum(f: float) -> None:
    # the bins of an 8 s record are 0.125 Hz apart
    assert signals.frequency(wave(f), DT) == pytest.approx(f, abs=2e-3)


def test_frequency_does_not_see_offset_trend_and_moderate_noise() -> None:
    noise = np.random.default_rng(1).normal(0, 1, len(T))
    assert signals.frequency(5 + 0.3 * T + wave(3.17) + noise, DT) == pytest.approx(3.17, abs=5e-3)


def test_frequency_is_the_fundamental_under_a_stronger_harmonic() -> None:
    assert signals.frequency(0.6 * wave(2.0) + wave(4.0), DT) == pytest.approx(2.0, abs=2e-3)
    spikes = (np.arange(8000) % 400 < 20).astype(float)
    assert signals.frequency(spikes, DT) == pytest.approx(2.5, abs=2e-3)


@pytest.mark.parametrize(
    "signal",
    [
        np.ones(8000),
        3.0 * T,
        np.zeros(8000),
        np.random.default_rng(0).normal(size=8000),
        np.where(T == 4.0, np.nan, wave(3.0)),
        np.exp(-T),
        np.zeros(2),
    ],
    ids=["constant", "line", "zero", "noise", "nan", "decay", "short"],
)
def test_no_rhythm_is_nan(signal: np.ndarray) -> None:
    assert np.isnan(signals.frequency(signal, DT))


def test_fewer_than_three_cycles_are_no_rhythm() -> None:
    assert np.isnan(signals.frequency(wave(3.0)[:900], DT, (2.0, 20.0)))
    assert signals.frequency(wave(3.0)[:1100], DT, (2.0, 20.0)) == pytest.approx(3.0, abs=0.1)


def test_autocorrelation_of_a_sine_is_a_cosine_of_full_height() -> None:
    r = signals.autocorrelation(wave(4.0))
    np.testing.assert_allclose(r[[0, 125, 250, 375, 500, 3000]], [1, -1, 1, -1, 1, 1], atol=1e-6)


def test_autocorrelation_is_pearson_at_every_lag() -> None:
    x = np.random.default_rng(2).normal(size=60) + 7
    expected = [np.corrcoef(x[: 60 - k], x[k:])[0, 1] for k in range(31)]
    np.testing.assert_allclose(signals.autocorrelation(x), expected, rtol=0, atol=1e-10)


def test_lags_of_the_published_salamander_come_back() -> None:
    published = np.array([0.193, 0.082, 0.082, 0.108, 0.149, 0.139, 0.117])
    phases = np.concatenate([[0], published.cumsum()])
    heights = np.array([10.8, 13.4, 13.0, 12.8, 23.2, 31.8, 28.0, 34.0])
    x = np.stack([a * wave(3.17, phase) for a, phase in zip(heights, phases, strict=True)], axis=1)
    f = signals.frequency(x, DT)
    np.testing.assert_allclose(signals.phase_lags(x, DT, f), published, rtol=0, atol=1e-4)
    assert signals.total_lag(x, DT, f) == pytest.approx(published.sum(), abs=1e-4)
    np.testing.assert_allclose(signals.amplitudes(x, DT, f), heights, rtol=1e-4)


def test_a_wave_from_tail_to_head_has_a_negative_total_of_more_than_a_cycle() -> None:
    x = np.stack([wave(2.0, -0.3 * k) for k in range(8)], axis=1)
    assert signals.total_lag(x, DT, 2.0) == pytest.approx(-2.1, abs=1e-4)


def test_lags_survive_a_slow_change_of_frequency() -> None:
    turns = 3.0 * T + 0.02 * T**2
    x = np.stack([np.sin(2 * np.pi * (turns - lag)) for lag in (0.0, 0.2, 0.35)], axis=1)
    np.testing.assert_allclose(signals.phase_lags(x, DT, signals.frequency(x, DT)), [0.2, 0.15], atol=2e-3)


def test_a_silent_channel_has_no_lag() -> None:
    x = np.stack([wave(2.0), np.zeros_like(T), wave(2.0)], axis=1)
    assert np.isnan(signals.phase_lags(x, DT, 2.0)).all()
    assert np.isnan(signals.phase_lags(x, DT, float("nan"))).all()


@pytest.mark.parametrize("phase", [0.0, 0.25, 0.5, 0.9])
def test_relative_phase(phase: float) -> None:
    found = signals.relative_phase(wave(2.0), wave(2.0, phase), DT, 2.0)
    assert min(abs(found - phase), 1 - abs(found - phase)) < 1e-5


def test_amplitude_is_the_mean_over_the_whole_cycles() -> None:
    growing = np.repeat(np.arange(1.0, 17.0), 500) * wave(2.0)
    # 16 cycles of 1 to 16: a record that ends inside the last one leaves it out
    assert signals.amplitudes(growing, DT, 2.0)[0] == pytest.approx(8.5, rel=1e-6)
    assert signals.amplitudes(growing[:7900], DT, 2.0)[0] == pytest.approx(8.0, rel=1e-6)
    assert np.isnan(signals.amplitudes(growing[:400], DT, 2.0)[0])


@pytest.mark.parametrize("f", [3.0, 3.17])
def test_cycles_leave_no_sample_out(f: float) -> None:
    found = signals.cycles(8000, DT, f)
    assert len(found) == int(8 * f)
    assert found[0].start == 0
    assert all(a.stop == b.start for a, b in pairwise(found))
    assert found[-1].stop == round(int(8 * f) / f / DT)


def test_ptcc_is_two_for_a_perfect_rhythm_and_near_zero_for_noise() -> None:
    assert signals.ptcc(wave(3.2)) == pytest.approx(2.0, abs=1e-4)
    noise = np.random.default_rng(3).normal(size=8000)
    # the extremes of 1000 lags of white noise of n samples stay within 4/sqrt(n/2)
    assert 0 < signals.ptcc(noise, 1000) < 8 / np.sqrt(7000)
    assert np.isnan(signals.ptcc(np.ones(100)))


def test_ptcc_of_a_rhythm_in_noise_follows_from_the_signal_to_noise_ratio() -> None:
    # sine of variance 1/2 and white noise of variance 1/2: r at a period is 1/2, at half a period -1/2
    x = wave(2.0) + np.random.default_rng(4).normal(0, np.sqrt(0.5), len(T))
    assert signals.ptcc(x, 1000) == pytest.approx(1.0, abs=0.06)


def test_locking_of_one_frequency() -> None:
    found = signals.locking(wave(3.0), wave(3.0, 0.3), DT, 3.0)
    assert found.locked
    assert found.resultant == pytest.approx(1.0, abs=1e-6)
    assert found.drift == pytest.approx(0.0, abs=1e-6)
    assert found.phase == pytest.approx(0.3, abs=1e-6)


def test_two_frequencies_are_not_locked_and_drift_by_their_difference() -> None:
    found = signals.locking(wave(3.0), wave(3.3), DT, 3.15)
    assert not found.locked
    assert found.resultant < 0.3
    assert found.drift == pytest.approx(-0.3, abs=0.01)


def test_a_slow_slip_is_not_locked_though_the_resultant_is_high() -> None:
    found = signals.locking(wave(3.0), wave(3.04), DT, 3.02)
    assert found.resultant > 0.8
    assert abs(found.drift) == pytest.approx(0.04, abs=2e-3)
    assert not found.locked


def test_a_silent_tail_is_not_locked() -> None:
    found = signals.locking(wave(3.0), np.zeros_like(T), DT, 3.0)
    assert not found.locked
    assert np.isnan(found.resultant)
