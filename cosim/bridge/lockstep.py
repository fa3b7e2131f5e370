"""The lockstep loop: one tick after another, network and body, with the record in between.

Tick k covers [k, k+1). In it: 1 read out the spikes of [k-1, k); 2 decode and push them; 3 take the commands due at k;
4 the body moves over [k, k+1) under them, and its readings are those at the end; 5 push the readings, take the
afferents due at k; 6 encode them into the network; 7 record; 8 the network integrates [k, k+1). So with all delays 0 a
spike in tick k moves the body in tick k+1, and what the body does in tick k is felt by the network in tick k: the
loop's own latency is one tick, on the motor side.

Where every motor delay is at least one tick, the commands due at k+1 are known in tick k, and the body moves over
[k+1, k+2) while the network integrates [k, k+1) (`AtOnce`; where ranks share the network, whose exchange needs Python,
`_exchange_ahead` with the body in a thread): the same calls on the same numbers, so not a bit differs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import NamedTuple

import numpy as np

from cosim.body.ports import BodyLike
from cosim.bridge.at_once import AtOnce
from cosim.bridge.clock import Clock
from cosim.bridge.commands import Commands
from cosim.bridge.inputs import Inputs
from cosim.bridge.link import BodyLink
from cosim.bridge.outgoing import Outgoing
from cosim.bridge.overlap import BodyThread
from cosim.bridge.schedule import Schedule
from cosim.bridge.wires import SensoryWire
from cosim.errors import SimulationError
from cosim.graph.ir import NetworkIR
from cosim.neural.backend import NeuralBackend, Spikes
from cosim.record import Recorder
from cosim.record.memory import MemoryRecorder
from cosim.tape import NOBODY, Play, Tape

CHECK_EVERY = 8  # ticks between looks for values that are not finite

_NO_SPIKES: Spikes = (np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int32))


@dataclass
class Timings:
    """Seconds spent in each part of the loop."""

    network: float = 0.0
    body: float = 0.0
    bridge: float = 0.0
    record: float = 0.0

    def as_dict(self, wall: float, biological: float) -> dict[str, float]:
        """With the wall time and the real-time factor (biological over wall time)."""
        factor = biological / wall if wall > 0 else math.nan
        parts = {"network": self.network, "body": self.body, "bridge": self.bridge, "record": self.record}
        return {**parts, "wall": wall, "real_time_factor": factor}


class Tapes(NamedTuple):
    """What the wires do in a tick, ready to be played: `push` is given the ids of the last tick's spikes."""

    push: Play
    apply: Play
    encode: Play


@dataclass
class Lockstep:
    """A network and a body wired together. Either may be absent (None)."""

    clock: Clock
    network: NetworkIR | None
    backend: NeuralBackend | None
    body: BodyLike | None
    inputs: Inputs | None
    sensory: list[SensoryWire]
    motor: list[Outgoing]
    commands: list[Commands]
    schedule: Schedule
    #: pushes of the body, apart from `schedule` because the body may be a tick ahead of the network
    pushes: Schedule = field(default_factory=Schedule)
    #: let body and network advance at the same time where that changes nothing and gains something
    overlap: bool = True
    timings: Timings = field(default_factory=Timings)
    recorder: Recorder | MemoryRecorder | None = None
    #: of ranks that go on together after a blow-up: what rank 0 says is wrong, for all of them
    agree: Callable[[str | None], str | None] | None = None
    #: the backend is somebody else's, and stays open
    keeps_backend: bool = False
    #: the body of a run that several ranks share; the ranks that do not own it follow (`_follow`)
    link: BodyLink | None = None
    tick: int = 0
    trouble: str | None = None
    on_progress: Callable[[int], None] | None = None

    @cached_property
    def tapes(self) -> Tapes:
        """The wires' tapes, written when the first tick begins."""
        push, apply, encode = Tape(), Tape(), Tape()
        for motor in self.motor:
            motor.push(push)
        for motor in self.motor:
            motor.apply(apply)
        for wire in self.sensory:
            wire.push(encode)
        if self.inputs is not None:
            self.inputs.on(encode)
        for wire in self.sensory:
            wire.fire(encode)
        library = self.backend.library if self.backend is not None else None
        return Tapes(*(tape.load(library) for tape in (push, apply, encode)))

    def run(self, n_ticks: int) -> None:
        """Advance `n_ticks`. Raises SimulationError on a blow-up."""
        end = self.tick + n_ticks
        if self.backend is None:
            if self.link is not None and not self.link.owner:
                self.tick = end
            while self.tick < end:
                self.exchange(self.tick)
                self.done()
            return
        if self.link is not None and not self.link.owner:
            self._loop(self.backend, n_ticks, self._follow)
            return
        if self.body is None or n_ticks < 2 or not self.overlaps:
            self._loop(self.backend, n_ticks, self.exchange)
            return
        background = self.backend.background()
        if background is not None:
            AtOnce(self, self.body, self.backend, background).run(n_ticks)
            return
        ahead = BodyThread(self.body.step)
        try:
            self._loop(self.backend, n_ticks, partial(self._exchange_ahead, ahead, end))
        finally:
            ahead.stop()
            self.timings.body += ahead.seconds

    @property
    def overlaps(self) -> bool:
        """Whether body and network advance at the same time: allowed, possible, and the network leaves Python alone."""
        if not self.overlap or self.body is None or self.backend is None or not self.backend.releases_gil:
            return False
        return all(wire.shortest_delay > 0 for wire in self.motor)

    def _loop(self, backend: NeuralBackend, n_ticks: int, exchange: Callable[[int], None]) -> None:
        clock, timings = time.perf_counter, self.timings
        mark = 0.0

        def on_tick(_: int) -> bool:
            nonlocal mark
            if mark:
                begin = clock()
                timings.network += begin - mark
                self.done()
                timings.bridge += clock() - begin
            exchange(self.tick)
            mark = clock()
            return True

        backend.run(n_ticks, on_tick)
        timings.network += clock() - mark
        self.done()

    def done(self) -> None:
        """A tick is complete."""
        self.tick += 1
        if self.tick % CHECK_EVERY == 0:
            self.check()
        if self.on_progress is not None:
            self.on_progress(self.tick)

    def check(self) -> None:
        """Raise SimulationError if a state variable of the network is not finite, or the body came into trouble."""
        wrong = self.backend.check_finite() if self.backend is not None else None
        text = self.trouble
        if wrong is not None and text is None:
            population, variable, neuron = wrong
            text = (
                f"the network blew up by tick {self.tick} (t = {self.tick * self.clock.tick:g} s): {variable} of "
                f"neuron {neuron} of population '{population}' is not finite"
            )
        if self.agree is not None:
            text = self.agree(text)
        if text is not None:
            raise SimulationError(text)

    def _move(self, body: BodyLike, tick: int) -> None:
        """Step 4. Where ranks go on together after a blow-up, the body stands still until all of them know of it."""
        if self.agree is None:
            body.step(tick)
        elif self.trouble is None:
            try:
                body.step(tick)
            except SimulationError as error:
                self.trouble = str(error)

    def exchange(self, tick: int) -> None:
        """Steps 1 to 7 of a tick."""
        clock = time.perf_counter
        begin = clock()
        self.schedule.run(tick)
        spikes = self.spikes(tick)
        self.tapes.push(tick, spikes[1])
        self.command(tick)
        commanded = clock()
        if self.body is not None:
            self._move(self.body, tick)
        moved = clock()
        if self.link is not None:
            self.link.spread()
        self.tapes.encode(tick, NOBODY)
        encoded = clock()
        self.record(tick, spikes)
        done = clock()
        timings = self.timings
        timings.bridge += (commanded - begin) + (encoded - moved)
        timings.body += moved - commanded
        timings.record += done - encoded

    def _follow(self, tick: int) -> None:
        """What a rank without the body does of steps 1 to 7: it takes the readings over, and encodes them."""
        assert self.link is not None
        clock = time.perf_counter
        begin = clock()
        self.schedule.run(tick)
        self.link.spread()
        self.tapes.encode(tick, NOBODY)
        self.timings.bridge += clock() - begin

    def _exchange_ahead(self, ahead: BodyThread, end: int, tick: int) -> None:
        """Steps 1 to 7 of a tick with the body's step done in the thread; it begins the one of the next tick."""
        clock = time.perf_counter
        begin = clock()
        self.schedule.run(tick)
        spikes = self.spikes(tick)
        self.tapes.push(tick, spikes[1])
        if not ahead.busy:
            self._start(ahead, tick)
        decoded = clock()
        ahead.wait()
        moved = clock()
        if self.link is not None:
            self.link.spread()
        self.tapes.encode(tick, NOBODY)
        encoded = clock()
        self.record(tick, spikes)
        recorded = clock()
        if tick + 1 < end:
            self._start(ahead, tick + 1)
        timings = self.timings
        timings.bridge += (decoded - begin) + (encoded - moved) + (clock() - recorded)
        timings.record += recorded - encoded

    def spikes(self, tick: int) -> Spikes:
        """Step 1: the network's spikes of the tick before."""
        return self.backend.spikes() if self.backend is not None and tick > 0 else _NO_SPIKES

    def command(self, tick: int) -> None:
        """Step 3, and what pushes the body in this tick."""
        self.pushes.run(tick)
        self.tapes.apply(tick, NOBODY)
        for commands in self.commands:
            commands.apply(tick)

    def _start(self, ahead: BodyThread, tick: int) -> None:
        """Step 3, and the beginning of step 4."""
        self.command(tick)
        ahead.start(tick)

    def record(self, tick: int, spikes: Spikes) -> None:
        """Step 7."""
        if self.recorder is not None:
            if len(spikes[0]):
                self.recorder.spikes(*spikes)
            self.recorder.take(tick)

    def finish(self) -> None:
        """Hand over the spikes of the last tick and look once more for values that are not finite."""
        if self.recorder is not None and self.backend is not None and self.tick > 0:
            spikes = self.backend.spikes()
            if len(spikes[0]):
                self.recorder.spikes(*spikes)
        self.check()

    def close(self) -> None:
        """Release network and body."""
        if self.body is not None:
            self.body.close()
        if self.backend is not None and not self.keeps_backend:
            self.backend.close()
