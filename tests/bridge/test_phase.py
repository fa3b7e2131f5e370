"""Decoded phases and closed curves against their definitions."""

import ctypes

import numpy as np
import pytest

from cosim.bridge.phase import TURN, Graded, Ring, argument
from cosim.bridge.spline import periodic_spline
from cosim.tape import Tape
from tests.tape.conftest import library  # noqa: F401

NOBODY = np.empty(0, dtype=np.int32)
ON = np.ones(1)


@pytest.mark.parametrize("compiled", [False, True])
def test_the_angle_of_a_point(compiled: bool, library: ctypes.PyDLL) -> None:  # noqa: F811
    x = np.array([1.0, 0.0, -2.0, 0.0, 3.0, -1.0, 0.0, 1.0])
    y = np.array([0.0, 1.0, 0.0, -5.0, 3.0, -1.0, 0.0, -1e-300])
    tape = Tape()
    angle = argument(tape, x, y)
    tape.load(library if compiled else None)(0, NOBODY)
    assert angle == pytest.approx(np.arctan2(y, x) % TURN % TURN, abs=1e-12)
    assert (angle >= 0).all() and (angle < TURN).all()


def ring(m: int, sides: int, n: int, full: float = 70.0) -> Ring:
    channel = np.repeat(np.arange(m * sides), n)
    return Ring(5, channel, np.full(m * sides, float(n)), m, tau=0.015, full=full, tick=1e-3)


def decoded(decoder: Ring, spikes: list[list[int]], switch: np.ndarray = ON) -> tuple[np.ndarray, np.ndarray]:
    """Phases and amplitudes after ticks with spikes of neurons (numbers within the ring)."""
    tape = Tape()
    phase, amplitude = decoder.on(tape, switch)
    for tick, ids in enumerate(spikes):
        tape.play(tick, np.array(ids, dtype=np.int32) + 5)
    return phase, amplitude


def test_the_active_population_is_the_phase() -> None:
    # four populations on two sides, three neurons each: side 0 in population k, side 1 in population k + 1
    for k in range(4):
        ids = [3 * (2 * k), 3 * (2 * ((k + 1) % 4) + 1) + 1]
        phase, amplitude = decoded(ring(4, 2, 3), [ids])
        assert phase == pytest.approx([TURN * k / 4, TURN * ((k + 1) % 4) / 4], abs=1e-12)
        assert amplitude == pytest.approx([1 / (3 * 0.015) / 70] * 2, rel=1e-12)


def test_amplitudes_decay_with_the_filter_and_stop_at_one() -> None:
    phase, amplitude = decoded(ring(4, 1, 1, full=10.0), [[2]] + [[]] * 40)
    assert phase == pytest.approx([np.pi], abs=1e-12)
    assert amplitude == pytest.approx([min(1.0, np.exp(-40 / 15) / 0.015 / 10)])
    assert decoded(ring(4, 1, 1, full=10.0), [[2]])[1][0] == 1.0


def test_two_neighbours_in_the_ring_point_between_them() -> None:
    for m in (3, 4, 5):
        phase, _ = decoded(ring(m, 1, 1), [[0, 1]])
        assert phase == pytest.approx([np.pi / m], abs=1e-12)


def test_a_cut_nerve_and_silence_are_the_same() -> None:
    closed = np.zeros(1)
    cut = decoded(ring(4, 1, 2), [[1], [2], [3]], closed)
    silent = decoded(ring(4, 1, 2), [[], [], []])
    assert cut[0].tolist() == silent[0].tolist() == [0.0] and cut[1].tolist() == silent[1].tolist() == [0.0]


def test_graded_phases_are_taken_within_a_turn() -> None:
    alive = np.array([1.0, 1.0, 0.0])
    decoder = Graded(np.array([7.0, -1.0, 2.0]), np.array([0.5, 1.2, 1.0]), np.array([1, 0, 2]), alive)
    tape = Tape()
    phase, amplitude = decoder.on(tape, ON)
    tape.play(0)
    assert phase == pytest.approx([TURN - 1.0, 7.0 - TURN, 2.0]) and amplitude.tolist() == [1.0, 0.5, 0.0]


def test_a_closed_spline_goes_through_its_samples_smoothly() -> None:
    n = 17
    samples = np.random.default_rng(1).normal(size=(n, 3))
    c = periodic_spline(samples)
    ahead = np.roll(c, -1, axis=0)
    assert c[:, 0] == pytest.approx(samples)
    assert c.sum(axis=1) == pytest.approx(ahead[:, 0])
    assert c[:, 1] + 2 * c[:, 2] + 3 * c[:, 3] == pytest.approx(ahead[:, 1])
    assert 2 * c[:, 2] + 6 * c[:, 3] == pytest.approx(2 * ahead[:, 2])


def test_a_closed_spline_of_a_sine_is_exact_to_fourth_order() -> None:
    errors = []
    for n in (20, 40):
        c = periodic_spline(np.sin(TURN * np.arange(n) / n)[:, None])
        middle = c[:, 0, 0] + 0.5 * (c[:, 1, 0] + 0.5 * (c[:, 2, 0] + 0.5 * c[:, 3, 0]))
        errors.append(np.abs(middle - np.sin(TURN * (np.arange(n) + 0.5) / n)).max())
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.05)
