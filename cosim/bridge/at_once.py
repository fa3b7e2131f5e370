"""Body and network at the same time: the network in a thread of its library, the body here.

Python can do one thing at a time, but the compiled network needs none: while it integrates tick k, the body moves over
k+1, whose commands are known where every motor delay is at least one tick. Nothing is handed from one Python thread to
another, which would take as long as a body's step.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cosim.errors import SimulationError
from cosim.tape import NOBODY

if TYPE_CHECKING:
    from cosim.body.ports import BodyLike
    from cosim.bridge.lockstep import Lockstep
    from cosim.neural.backend import Background, NeuralBackend


class AtOnce:
    """The loop of a lockstep with the same calls on the same numbers as `Lockstep.exchange`, so not a bit differs."""

    def __init__(self, lockstep: Lockstep, body: BodyLike, backend: NeuralBackend, background: Background) -> None:
        self._lockstep, self._body, self._backend, self._background = lockstep, body, backend, background
        self._error: SimulationError | None = None

    def run(self, n_ticks: int) -> None:
        """Advance; ends the thread. Raises what `Lockstep.run` raises, at the same tick."""
        lockstep, timings = self._lockstep, self._lockstep.timings
        first = lockstep.tick
        try:
            for tick in range(first, first + n_ticks):
                self._exchange(tick, first)
                self._background.begin()
                try:
                    if tick + 1 < first + n_ticks:
                        self._move(tick + 1)
                finally:
                    self._background.end()
                begin = time.perf_counter()
                lockstep.done()
                timings.bridge += time.perf_counter() - begin
        finally:
            timings.network += self._background.seconds
            self._background.close()

    def _exchange(self, tick: int, first: int) -> None:
        """Steps 1 to 7 of a tick, of which 3 and 4 were done beforehand but for the first."""
        lockstep, timings, clock = self._lockstep, self._lockstep.timings, time.perf_counter
        begin = clock()
        lockstep.schedule.run(tick)
        spikes = lockstep.spikes(tick)
        lockstep.tapes.push(tick, spikes[1])
        timings.bridge += clock() - begin
        if tick == first:
            self._move(tick)
        if self._error is not None:
            raise self._error
        moved = clock()
        lockstep.tapes.encode(tick, NOBODY)
        encoded = clock()
        lockstep.record(tick, spikes)
        timings.bridge += encoded - moved
        timings.record += clock() - encoded

    def _move(self, tick: int) -> None:
        """Steps 3 and 4. An error is kept until it is the body's turn: what the network has to say comes before."""
        lockstep, timings, clock = self._lockstep, self._lockstep.timings, time.perf_counter
        begin = clock()
        lockstep.command(tick)
        commanded = clock()
        try:
            self._body.step(tick)
        except SimulationError as error:
            self._error = error
        timings.bridge += commanded - begin
        timings.body += clock() - commanded
