"""A progress line on the terminal of rank 0: how far the run is, and how fast compared with real time."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

_WIDTH = 28


class Progress:
    """Draws at most ten times a second, and only if ``stream`` (default: standard error) is a terminal.

    ``duration`` is the biological time to run, in s; other ranks pass ``rank`` > 0 and draw nothing. Use as a
    context, so that the line ends when the run does.
    """

    def __init__(
        self,
        duration: float,
        *,
        rank: int = 0,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.stream = sys.stderr if stream is None else stream
        self.active = rank == 0 and self.stream.isatty()
        self._duration = duration
        self._clock = clock
        self._start = clock()
        self._origin: float | None = None
        self._next = self._start
        self._length = 0

    def update(self, done: float) -> None:
        """Show ``done`` seconds of biological time; cheap to call every tick."""
        if not self.active:
            return
        now = self._clock()
        if self._origin is None:
            # a run that was resumed begins in the middle: its speed counts from there
            self._origin, self._start = done, now
        if now >= self._next:
            self._next = now + 0.1
            self._draw(done, now)

    def _draw(self, done: float, now: float) -> None:
        share = min(max(done / self._duration, 0.0), 1.0) if self._duration > 0 else 1.0
        text = f"{bar(share)} {done:.1f}/{self._duration:g} s"
        elapsed = now - self._start
        factor = (done - (self._origin or 0.0)) / elapsed if elapsed > 0 else 0.0
        if factor > 0:
            text += f"  {factor:.2g} x real time  {clock_text((self._duration - done) / factor)} left"
        self.stream.write("\r" + text.ljust(self._length))
        self.stream.flush()
        self._length = len(text)

    def close(self) -> None:
        """Wipe the line."""
        if self.active and self._length:
            self.stream.write("\r" + " " * self._length + "\r")
            self.stream.flush()
        self.active = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def bar(share: float) -> str:
    """A bar of which a share, 0 to 1, is filled."""
    filled = round(_WIDTH * share)
    return f"[{'#' * filled}{'.' * (_WIDTH - filled)}]"


def clock_text(seconds: float) -> str:
    """Seconds as minutes and seconds, or hours, minutes and seconds."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
