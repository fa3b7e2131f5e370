"""The progress line: on a terminal only, on rank 0 only, with the real-time factor."""

from __future__ import annotations

import io

from cosim.record.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_line_shows_share_speed_and_time_left() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(10.0, stream=stream, clock=clock)
    progress.update(0.0)
    clock.now += 4.0
    progress.update(2.5)
    assert stream.getvalue().split("\r")[-1] == "[#######.....................] 2.5/10 s  0.62 x real time  0:12 left"


def test_a_resumed_run_counts_its_speed_from_where_it_began() -> None:
    stream, clock = Terminal(), Clock()
    progress = Progress(10.0, stream=stream, clock=clock)
    progress.update(5.0)
    clock.now += 2.0
    progress.update(6.0)
    assert "0.5 x real time  0:08 left" in stream.getvalue()


def test_it_draws_at_most_ten_times_a_second_and_wipes_its_line() -> None:
    stream, clock = Terminal(), Clock()
    with Progress(1.0, stream=stream, clock=clock) as progress:
        for k in range(1001):
            clock.now = 100.0 + k * 1e-3
            progress.update(k * 1e-3)
        assert 10 <= stream.getvalue().count("\r") <= 11
    assert stream.getvalue().split("\r")[-2].strip() == ""
    assert stream.getvalue().endswith("\r")


def test_nothing_is_drawn_into_a_file_or_by_another_rank() -> None:
    for stream, rank in ((io.StringIO(), 0), (Terminal(), 1)):
        with Progress(1.0, stream=stream, rank=rank) as progress:
            progress.update(0.0)
            progress.update(1.0)
        assert stream.getvalue() == ""
