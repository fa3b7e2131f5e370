"""The delay line states exact arrival ticks."""

import numpy as np
import pytest

from cosim.bridge.clock import Clock, whole
from cosim.bridge.delay import DelayLine
from cosim.spec.units import UnitError
from cosim.tape import Tape


class Played:
    """A delay line on a tape: a tick's values go in, what is due comes out."""

    def __init__(self, line: DelayLine) -> None:
        self.values, self.out = np.zeros(len(line.delays)), np.zeros(len(line.delays))
        self.tape = Tape()
        line.store(self.tape, self.values)
        line.take(self.tape, self.out)

    def __call__(self, tick: int, values: list[float]) -> list[float]:
        self.values[:] = values
        self.tape.play(tick)
        return self.out.tolist()


@pytest.mark.parametrize("delay", [0, 1, 2, 7, 31])
def test_a_value_arrives_after_exactly_its_delay(delay: int) -> None:
    line = Played(DelayLine([delay], initial=-1.0))
    for tick in range(100):
        assert line(tick, [float(tick)]) == [tick - delay if tick >= delay else -1.0]


def test_every_channel_has_its_own_delay() -> None:
    delays = [0, 3, 1, 12]
    line = Played(DelayLine(delays, initial=np.array([10.0, 20.0, 30.0, 40.0])))
    for tick in range(50):
        expected = [tick - d + c / 4 if tick >= d else 10.0 * (c + 1) for c, d in enumerate(delays)]
        assert line(tick, [tick + c / 4 for c in range(4)]) == expected


def test_a_pulse_of_one_tick_comes_out_as_one_tick() -> None:
    line = Played(DelayLine([5]))
    out = [line(tick, [1.0 if tick == 4 else 0.0])[0] for tick in range(20)]
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
