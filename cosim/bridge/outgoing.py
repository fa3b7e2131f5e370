"""What all wires from the network to the body have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.delay import DelayLine
from cosim.tape import Tape

F64 = NDArray[np.float64]


class Outgoing(ABC):
    """Something decoded, delayed, written to the body's commands.

    `channels` are the names of what is `sent` into the delay line and `delivered` by it, both of shape (channels,), in
    `unit`; `population` is what is read.
    """

    name: str
    unit: str
    channels: tuple[str, ...]
    population: str
    sent: F64
    delivered: F64
    _line: DelayLine

    def __init__(self, name: str) -> None:
        self.name = name
        self._open = np.ones(1)
        self._alive: F64 | None = None

    @property
    def shortest_delay(self) -> int:
        """The least delay of a channel, ticks."""
        return int(self._line.delays.min())

    @property
    def cut(self) -> bool:
        """Whether the nerve is cut: it sends what silent neurons would."""
        return not self._open[0]

    @cut.setter
    def cut(self, cut: bool) -> None:
        self._open[0] = not cut

    def silence(self, ids: NDArray[np.int64]) -> None:
        """A silenced graded neuron reads 0."""
        if self._alive is not None:
            self._alive[ids] = 0.0

    @abstractmethod
    def memory(self) -> dict[str, F64]:
        """What the wire holds from tick to tick: the arrays themselves. (`cut` and silenced neurons are lesions.)"""

    @abstractmethod
    def push(self, tape: Tape) -> None:
        """Decode the last tick's activity and put it on its way."""

    @abstractmethod
    def apply(self, tape: Tape) -> None:
        """Give the body the commands that are due."""
