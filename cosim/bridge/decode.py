"""From neural activity to commands, on a tape: spikes become one number a channel, which may become activation."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cosim.tape import Tape

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


def counted(tape: Tape, first: int, channel_of: I64, n_channels: int) -> F64:
    """Spikes per channel in a tick, shape (n_channels,).

    `channel_of`: the channel of the neurons with the global ids `first`, `first` + 1, ...; negative for none.
    """
    # by global id; what counts for no channel (the neurons before, the last entry for all behind) has the number after
    # the last one
    table = np.full(first + len(channel_of) + 1, n_channels, dtype=np.int64)
    table[first:-1][channel_of >= 0] = channel_of[channel_of >= 0]
    return tape.count(table, n_channels)


class RateWindow:
    """Mean rate per neuron over the last `window` ticks, times `gain`: gain * count / (n * window)."""

    def __init__(self, window: int, tick: float, sizes: F64, gain: F64) -> None:
        self._ring = np.zeros((window, len(sizes)))
        self._sum = np.zeros(len(sizes))
        self._factor = gain / (sizes * window * tick)

    def memory(self) -> dict[str, F64]:
        """The counts of the window and their sum: the arrays themselves."""
        return {"ring": self._ring, "sum": self._sum}

    def on(self, tape: Tape, counts: F64) -> F64:
        """Take a tick's counts; the rate over the window that ends now, shape (n,)."""
        oldest = tape.recall(self._ring, np.zeros(len(counts), dtype=np.int64))
        tape.compute("add", self._sum, tape.compute("sub", counts, oldest), out=self._sum)  # whole numbers: exact
        tape.store(counts, self._ring)
        return tape.compute("mul", self._sum, self._factor)


class ExponentialFilter:
    """r decays with `tau`; every spike adds 1/(n tau): the smoothed mean rate, times `gain`."""

    def __init__(self, tau: float, tick: float, sizes: F64, gain: F64) -> None:
        self._decay = math.exp(-tick / tau)
        self._step = 1.0 / (sizes * tau)
        self._gain = gain
        self._rate = np.zeros(len(sizes))

    def memory(self) -> dict[str, F64]:
        """The smoothed rate: the array itself."""
        return {"rate": self._rate}

    def on(self, tape: Tape, counts: F64) -> F64:
        """Take a tick's counts; shape (n,)."""
        tape.compute("mul", self._rate, self._decay, out=self._rate)
        tape.compute("add", self._rate, tape.compute("mul", counts, self._step), out=self._rate)
        return tape.compute("mul", self._rate, self._gain)


class Activation:
    """da/dt = (u - a)/tau, tau = tau_act while u > a, else tau_deact (first-order activation dynamics, Zajac 1989,
    Crit. Rev. Biomed. Eng. 17:359-411); exact over a tick with u held."""

    def __init__(self, tau_act: float, tau_deact: float, tick: float, n: int) -> None:
        self._up, self._down = -math.expm1(-tick / tau_act), -math.expm1(-tick / tau_deact)
        self._a = np.zeros(n)

    def memory(self) -> dict[str, F64]:
        """The activation: the array itself."""
        return {"activation": self._a}

    def on(self, tape: Tape, u: F64) -> F64:
        """Advance one tick towards u; shape (n,)."""
        part = tape.compute("where", tape.compute("gt", u, self._a), self._up, self._down)
        change = tape.compute("mul", part, tape.compute("sub", u, self._a))
        return tape.compute("add", self._a, change, out=self._a)
