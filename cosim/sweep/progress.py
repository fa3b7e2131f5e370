"""How far a sweep is: a line on the terminal, and what else is to be told above it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

from cosim.record.progress import bar, clock_text
from cosim.sweep.master import Count


class Progress:
    """Draws at most ten times a second, and only if ``stream`` (default: standard error) is a terminal.

    ``total`` runs are to be done; use as a context, so that the line ends when the sweep does.
    """

    def __init__(
        self, total: int, *, stream: TextIO | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:  # fmt: skip
        self.stream = sys.stderr if stream is None else stream
        self.active = self.stream.isatty()
        self._total = total
        self._clock = clock
        self._start = self._next = clock()
        self._length = 0

    def update(self, count: Count) -> None:
        """Show what is done."""
        now = self._clock()
        if not self.active or now < self._next:
            return
        self._next = now + 0.1
        text = f"{bar(count.done / max(self._total, 1))} {count.done}/{self._total} runs"
        if count.failed:
            text += f", {count.failed} failed"
        if count.done:
            left = (now - self._start) * (self._total - count.done) / count.done
            text += f"  {clock_text(left)} left"
        self._put(text)

    def say(self, text: str) -> None:
        """Tell something; the line stays below it."""
        self._put("")
        print(text, file=self.stream, flush=True)

    def _put(self, text: str) -> None:
        if self.active and (text or self._length):
            self.stream.write("\r" + text.ljust(self._length) + ("" if text else "\r"))
            self.stream.flush()
            self._length = len(text)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._put("")
        self.active = False
