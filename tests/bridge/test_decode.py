"""Decoders against their formulas."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.decode import Activation, ExponentialFilter, RateWindow, counted
from cosim.tape import Tape

F64 = NDArray[np.float64]
ONE = np.ones(1)


def played(on: Callable[[Tape, F64], F64], inputs: list[float]) -> list[float]:
    """What one channel answers to a number in every tick."""
    tape, value = Tape(), np.zeros(1)
    out = on(tape, value)
    found = []
    for tick, number in enumerate(inputs):
        value[0] = number
        tape.play(tick)
        found.append(float(out[0]))
    return found


def test_neurons_are_counted_per_channel() -> None:
    tape = Tape()
    counts = counted(tape, 10, np.array([0, 0, -1, 1]), 2)
    tape.play(0, np.array([9, 10, 10, 11, 12, 13, 14, 2000], dtype=np.int32))
    assert counts.tolist() == [3.0, 1.0]
    tape.play(1, np.array([13], dtype=np.int32))
    assert counts.tolist() == [0.0, 1.0]


def test_rate_window_is_the_count_over_the_window() -> None:
    decoder = RateWindow(window=20, tick=1e-3, sizes=np.array([50.0]), gain=np.array([0.02]))
    out = played(decoder.on, [5.0 if k == 3 else 0.0 for k in range(40)])
    value = 0.02 * 5 / (50 * 0.020)
    assert out[:3] == [0, 0, 0] and np.allclose(out[3:23], value, rtol=1e-15) and out[23:] == [0.0] * 17


def test_regular_firing_reads_its_rate() -> None:
    decoder = RateWindow(window=100, tick=1e-3, sizes=ONE, gain=ONE)
    out = played(decoder.on, [1.0 if k % 10 == 0 else 0.0 for k in range(300)])
    assert np.allclose(out[100:], 100.0)


def test_exponential_filter_decays_and_has_unit_area() -> None:
    tau, tick = 0.02, 1e-3
    decoder = ExponentialFilter(tau, tick, sizes=np.array([4.0]), gain=ONE)
    out = np.array(played(decoder.on, [4.0 if k == 0 else 0.0 for k in range(500)]))
    assert np.allclose(out, np.exp(-np.arange(500) * tick / tau) / tau, rtol=1e-12)
    # a spike a second is 1 Hz: the sum of the samples is the exact geometric series
    assert math.isclose(out.sum() * tick, (tick / tau) / -math.expm1(-tick / tau), rel_tol=1e-9)


def test_activation_dynamics_are_exact_exponentials_up_and_down() -> None:
    activation = Activation(tau_act=0.015, tau_deact=0.05, tick=1e-3, n=1)
    out = played(activation.on, [1.0] * 30 + [0.0] * 30)
    assert np.allclose(out[:30], 1 - np.exp(-np.arange(1, 31) * 1e-3 / 0.015), rtol=1e-12)
    assert np.allclose(out[30:], out[29] * np.exp(-np.arange(1, 31) * 1e-3 / 0.05), rtol=1e-12)
