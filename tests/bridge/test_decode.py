"""Decoders against their formulas."""

import math

import numpy as np

from cosim.bridge.decode import Activation, Counter, ExponentialFilter, RateWindow

ONE = np.ones(1)


def test_counter_counts_its_own_neurons_per_channel() -> None:
    counter = Counter(10, np.array([0, 0, -1, 1]), 2)
    assert counter.count(np.array([9, 10, 10, 11, 12, 13, 14], dtype=np.int32)).tolist() == [3.0, 1.0]


def test_rate_window_is_the_count_over_the_window() -> None:
    decoder = RateWindow(window=20, tick=1e-3, sizes=np.array([50.0]), gain=np.array([0.02]))
    out = [decoder.update(k, np.array([5.0 if k == 3 else 0.0]))[0] for k in range(40)]
    value = 0.02 * 5 / (50 * 0.020)
    assert out[:3] == [0, 0, 0] and np.allclose(out[3:23], value, rtol=1e-15) and out[23:] == [0.0] * 17


def test_regular_firing_reads_its_rate() -> None:
    decoder = RateWindow(window=100, tick=1e-3, sizes=ONE, gain=ONE)
    out = [decoder.update(k, np.array([1.0 if k % 10 == 0 else 0.0]))[0] for k in range(300)]
    assert np.allclose(out[100:], 100.0)


def test_exponential_filter_decays_and_has_unit_area() -> None:
    tau, tick = 0.02, 1e-3
    decoder = ExponentialFilter(tau, tick, sizes=np.array([4.0]), gain=ONE)
    out = np.array([decoder.update(k, np.array([4.0 if k == 0 else 0.0]))[0] for k in range(500)])
    assert np.allclose(out, np.exp(-np.arange(500) * tick / tau) / tau, rtol=1e-12)
    # a spike a second is 1 Hz: the sum of the samples is the exact geometric series
    assert math.isclose(out.sum() * tick, (tick / tau) / -math.expm1(-tick / tau), rel_tol=1e-9)


def test_activation_dynamics_are_exact_exponentials_up_and_down() -> None:
    activation = Activation(tau_act=0.015, tau_deact=0.05, tick=1e-3, n=1)
    rise = [activation.update(ONE)[0] for _ in range(30)]
    assert np.allclose(rise, 1 - np.exp(-np.arange(1, 31) * 1e-3 / 0.015), rtol=1e-12)
    top = rise[-1]
    fall = [activation.update(np.zeros(1))[0] for _ in range(30)]
    assert np.allclose(fall, top * np.exp(-np.arange(1, 31) * 1e-3 / 0.05), rtol=1e-12)
