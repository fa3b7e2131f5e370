"""Gait measures on trajectories with analytic answers."""

from __future__ import annotations

import numpy as np
import pytest

from cosim.analyse import gait

DT = 1e-3
F = 2.0
T = np.arange(5000) * DT


def swimmer(speed: float, wobble: float = 0.0, tail: float = 0.0) -> tuple[np.ndarray, ...]:
    """Centre of mass, head, tail of a 0.1 m body that goes along -x; all swing laterally."""
    side = np.sin(2 * np.pi * F * T)
    com = np.stack([-speed * T + 0.003 * side, wobble * side, 0 * T], axis=1)
    head = np.stack([com[:, 0] - 0.05, 0.01 * side, 0 * T], axis=1)
    end = np.stack([com[:, 0] + 0.05, tail * side, 0 * T], axis=1)
    return com, head, end


def rotated(angle: float, *tracks: np.ndarray) -> list[np.ndarray]:
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return [track @ turn.T + [0.3, -0.2, 0.1] for track in tracks]


@pytest.mark.parametrize("angle", [0.0, 1.0, 3.0])
@pytest.mark.parametrize("speed", [0.07, -0.02, 0.0])
def test_forward_speed_on_a_straight_path(angle: float, speed: float) -> None:
    com, head, tail = rotated(angle, *swimmer(speed, wobble=0.004, tail=0.02))
    assert gait.forward_speed(com, head, tail, DT, F) == pytest.approx(speed, abs=1e-5)


def test_forward_speed_on_a_circle_is_the_speed_along_the_path() -> None:
    # a full turn of radius 1 m in 5 s: the net displacement vanishes
    turn = 2 * np.pi * T / 5
    com = np.stack([np.cos(turn), np.sin(turn), 0 * T], axis=1)
    ahead = 0.05 * np.stack([-np.sin(turn), np.cos(turn), 0 * T], axis=1)
    per_cycle = 2 * np.sin(0.1 * np.pi) / 0.5  # chord of a tenth of the turn, in half a second
    assert gait.forward_speed(com, com + ahead, com - ahead, DT, F) == pytest.approx(per_cycle, rel=1e-3)
    assert gait.path_length(com, DT, F) == pytest.approx(10 * 2 * np.sin(0.1 * np.pi) * np.sinc(0.1), rel=1e-3)


@pytest.mark.parametrize("angle", [0.0, 2.0])
def test_tail_beat_is_half_of_the_lateral_excursion(angle: float) -> None:
    com, head, tail = rotated(angle, *swimmer(0.07, tail=0.015))
    assert gait.tail_beat(com, head, tail, tail, DT, F) == pytest.approx(0.015, rel=1e-3)


def test_path_length_without_the_wobble_within_a_cycle() -> None:
    com, _, _ = swimmer(0.07, wobble=0.02)
    assert gait.path_length(com, DT, F) == pytest.approx(0.07 * 5.0, rel=1e-6)
    assert np.isnan(gait.path_length(com, DT, 0.3))


def test_positive_work_counts_no_work_back() -> None:
    power = np.stack([np.sin(2 * np.pi * F * T), -np.ones_like(T)], axis=1)
    # the positive half waves of a sine of 1 W have the mean 1/pi W
    assert gait.positive_work(power, DT) == pytest.approx(5.0 / np.pi, rel=1e-4)


def test_cost_of_transport_is_work_per_mass_and_distance() -> None:
    power = np.full((5000, 2), 0.5e-3)
    assert gait.cost_of_transport(power, DT, mass=0.003, distance=0.5) == pytest.approx(5e-3 / 0.003 / 0.5, rel=1e-9)
    assert np.isnan(gait.cost_of_transport(power, DT, mass=0.003, distance=0.0))


def test_without_rhythm_there_is_no_gait() -> None:
    com, head, tail = swimmer(0.07)
    nan = float("nan")
    assert np.isnan(gait.forward_speed(com, head, tail, DT, nan))
    assert np.isnan(gait.tail_beat(com, head, tail, tail, DT, nan))
