"""A body that moves while the network integrates: one tick at a time, in a thread of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class BodyThread:
    """Calls `step(tick)` in another thread: ``start`` begins it, ``wait`` ends it and raises what it raised.

    Between ``start`` and ``wait`` the body belongs to the thread: nobody else may touch it. `busy` says whether that is
    so, `seconds` how long all steps took. ``stop`` ends the thread; a step under way is waited for, its error dropped.
    """

    def __init__(self, step: Callable[[int], None]) -> None:
        self._step = step
        # two locks, each released by the other side: the cheapest hand-over that Python has
        self._go, self._done = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._done.acquire()
        self._tick: int | None = None
        self._error: BaseException | None = None
        self.busy = False
        self.seconds = 0.0
        self._thread = threading.Thread(target=self._run, name="cosim-body", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        clock = time.perf_counter
        while True:
            self._go.acquire()
            tick = self._tick
            if tick is None:
                return
            begin = clock()
            try:
                self._step(tick)
            except BaseException as error:
                self._error = error
            self.seconds += clock() - begin
            self._done.release()

    def start(self, tick: int) -> None:
        """Begin the step of a tick."""
        self._tick = tick
        self.busy = True
        self._go.release()

    def wait(self) -> None:
        """Return when the step is done; raise its error."""
        self._done.acquire()
        self.busy = False
        error, self._error = self._error, None
        if error is not None:
            raise error

    def stop(self) -> None:
        """End the thread."""
        if self.busy:
            self._done.acquire()
            self.busy = False
        self._tick = None
        self._go.release()
        self._thread.join()
