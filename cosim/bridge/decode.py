"""From neural activity to commands.

A decoder turns the last tick's spikes, or a state variable, into one number a channel.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]


class Counter:
    """Spikes per channel in a tick. A channel is a group of neurons; a neuron belongs to one channel or none."""

    def __init__(self, first: int, channel_of: NDArray[np.int64], n_channels: int) -> None:
        # by global id; neurons without a channel, those before and (the last entry) those behind count into a last bin
        self._channel_of = np.full(first + len(channel_of) + 1, n_channels)
        self._channel_of[first:-1][channel_of >= 0] = channel_of[channel_of >= 0]
        self._counts = np.zeros(n_channels)
        self._n = n_channels

    def count(self, ids: NDArray[np.int32]) -> F64:
        """Number of spikes per channel among global ids, shape (n_channels,); overwritten by the next call."""
        channels = self._channel_of.take(ids, mode="clip")
        self._counts[:] = np.bincount(channels, minlength=self._n + 1)[: self._n]
        return self._counts


class RateWindow:
    """Mean rate per neuron over the last `window` ticks, times `gain`: gain * count / (n * window)."""

    def __init__(self, window: int, tick: float, sizes: F64, gain: F64) -> None:
        self._ring = np.zeros((window, len(sizes)))
        self._rows = list(self._ring)
        self._sum = np.zeros(len(sizes))
        self._factor = gain / (sizes * window * tick)
        self._window = window

    def memory(self) -> dict[str, F64]:
        """The counts of the window and their sum: the arrays themselves."""
        return {"ring": self._ring, "sum": self._sum}

    def update(self, tick: int, counts: F64) -> F64:
        """Take this tick's counts; the rate over the window that ends now, shape (n,)."""
        row = self._rows[tick % self._window]
        self._sum += counts - row  # whole numbers: the running sum is exact
        row[:] = counts
        return self._sum * self._factor


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

    def update(self, tick: int, counts: F64) -> F64:
        """Take this tick's counts; shape (n,)."""
        self._rate *= self._decay
        self._rate += counts * self._step
        return self._rate * self._gain


class Activation:
    """da/dt = (u - a)/tau, tau = tau_act while u > a, else tau_deact (first-order activation dynamics, Zajac 1989,
    Crit. Rev. Biomed. Eng. 17:359-411); exact over a tick with u held."""

    def __init__(self, tau_act: float, tau_deact: float, tick: float, n: int) -> None:
        self._up, self._down = np.full(n, -math.expm1(-tick / tau_act)), np.full(n, -math.expm1(-tick / tau_deact))
        self._a = np.zeros(n)

    def memory(self) -> dict[str, F64]:
        """The activation: the array itself."""
        return {"activation": self._a}

    def update(self, u: F64) -> F64:
        """Advance one tick towards u; shape (n,)."""
        self._a += np.where(u > self._a, self._up, self._down) * (u - self._a)
        return self._a
