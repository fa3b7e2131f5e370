"""Measures of walking on made-up walks."""

import numpy as np
import pytest

from cosim.analyse.walking import speed_after, step_frequency, tripod_order, yaw
from cosim.record.result import Trace

FIRST = np.array([True, False, True, False, True, False])


def legs(t: np.ndarray, f: float, lag: float) -> np.ndarray:
    """Phases of six legs, those of the second group `lag` cycles behind."""
    return (2 * np.pi * (f * t[:, None] - np.where(FIRST, 0.0, lag))) % (2 * np.pi)


def test_order_is_one_in_a_tripod_and_the_resultant_elsewhere() -> None:
    t = np.arange(0, 2, 1e-3)
    assert tripod_order(legs(t, 12.0, 0.5), FIRST) == pytest.approx(1)
    assert tripod_order(legs(t, 12.0, 0.0), FIRST) == pytest.approx(0, abs=1e-12)
    assert tripod_order(legs(t, 12.0, 0.25), FIRST) == pytest.approx(np.sqrt(0.5))
    unrelated = np.random.default_rng(1).uniform(0, 2 * np.pi, (100_000, 6))
    assert tripod_order(unrelated, FIRST) == pytest.approx(0.37, abs=0.01)


def test_frequency_counts_turns() -> None:
    t = np.arange(0, 2, 1e-3)
    assert step_frequency(legs(t, 12.3, 0.5), 1e-3) == pytest.approx(12.3, rel=1e-9)


def test_yaw_of_turns_about_the_vertical() -> None:
    angle = np.linspace(0, 7, 200)
    turned = np.stack([0 * angle, 0 * angle, np.sin(angle / 2), np.cos(angle / 2)], axis=1)
    assert yaw(turned) == pytest.approx(angle)


def test_speed_after_a_push_is_relative_to_that_before() -> None:
    t = np.arange(0, 4, 2e-3)
    x = np.where(t < 2, 10e-3 * t, 20e-3 + 8e-3 * (t - 2))
    sway = 0.2e-3 * np.sin(2 * np.pi * 10 * t)
    values = np.stack([x, sway, 0 * t], axis=1)[:, None]
    com = Trace("body/com_position", t, values, ("t", "l", "c"), (("body",), "xyz"), "m")
    assert speed_after(com, 2.0, 0.5, 10.0) == pytest.approx(0.8, rel=1e-3)
    assert np.isnan(speed_after(com, 0.5, 0.5, 10.0)) and np.isnan(speed_after(com, 3.0, 0.5, 10.0))
