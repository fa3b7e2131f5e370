"""The delay line states exact arrival ticks."""

import numpy as np
import pytest

from cosim.bridge.clock import Clock, whole
from cosim.bridge.delay import DelayLine
from cosim.spec.units import UnitError


def taken(line: DelayLine, tick: int) -> list[float]:
    out = np.empty(len(line.delays))
    line.take(tick, out)
    return out.tolist()


@pytest.mark.parametrize("delay", [0, 1, 2, 7, 31])
def test_a_value_arrives_after_exactly_its_delay(delay: int) -> None:
    line = DelayLine([delay], initial=-1.0)
    for tick in range(100):
        line.push(tick, np.array([float(tick)]))
        assert taken(line, tick)[0] == (tick - delay if tick >= delay else -1.0)


def test_every_channel_has_its_own_delay() -> None:
    delays = [0, 3, 1, 12]
    line = DelayLine(delays, initial=np.array([10.0, 20.0, 30.0, 40.0]))
    for tick in range(50):
        line.push(tick, tick + np.array([0.0, 0.25, 0.5, 0.75]))
        expected = [tick - d + c / 4 if tick >= d else 10.0 * (c + 1) for c, d in enumerate(delays)]
        assert taken(line, tick) == expected


def test_a_pulse_of_one_tick_comes_out_as_one_tick() -> None:
    line = DelayLine([5])
    out = []
    for tick in range(20):
        line.push(tick, np.array([1.0 if tick == 4 else 0.0]))
        out.append(taken(line, tick)[0])
    assert np.flatnonzero(out).tolist() == [9]


def test_negative_delays_are_refused() -> None:
    with pytest.raises(ValueError, match="0 or more"):
        DelayLine([1, -1])


def test_whole_numbers_of_ticks_or_a_refusal() -> None:
    assert whole(0.020, 1e-3, "the delay of") == 20
    assert whole(0.1 + 0.2, 1e-3, "the delay of") == 300
    with pytest.raises(UnitError, match=r"the delay of 1.5 ms is not a whole number of ticks of 1 ms: write 2 ms"):
        whole(0.0015, 1e-3, "the delay of")


@pytest.mark.parametrize(
    ("tick", "dt", "body_dt", "expected"), [(1e-3, 1e-4, None, (10, 1)), (1e-2, 5e-4, 1e-3, (20, 10))]
)
def test_clock_counts_steps(tick: float, dt: float, body_dt: float | None, expected: tuple[int, int]) -> None:
    clock = Clock.of(tick, dt, body_dt)
    assert (clock.steps, clock.substeps) == expected


@pytest.mark.parametrize(("dt", "body_dt"), [(3e-4, None), (1e-4, 7e-4), (2e-3, None)])
def test_steps_that_do_not_divide_the_tick_are_refused(dt: float, body_dt: float | None) -> None:
    with pytest.raises(UnitError, match="does not divide the tick"):
        Clock.of(1e-3, dt, body_dt)
