"""How channels meet neurons: groups of neurons per channel on the way out, values at neurons on the way in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cosim.graph.ir import PopulationIR
from cosim.spec.experiment import InterpolateSpec
from cosim.spec.units import UnitError
from cosim.tape import Tape

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]


@dataclass(frozen=True)
class Groups:
    """Disjoint groups of neurons, one a channel.

    Attributes
    ----------
    channel_of: (n,) channel of every neuron of the population, -1 for none. sizes: (channels,) neurons in each.
    opposite: (channels,) the channel at the same place on the other side (itself where there is none). labels: names.
    """

    channel_of: I64
    sizes: F64
    opposite: I64
    labels: tuple[str, ...]


def groups(population: PopulationIR, ids: I64, n_channels: int, *, by_segment: bool) -> Groups:
    """Group the neurons `ids` into channels: by side, and by segment if asked; side by side, then along the axis.

    Where that does not give `n_channels`, one channel for all or one per neuron are tried. Raises UnitError otherwise.
    """
    sides = population.sides or ("",)
    places = np.unique(population.segment[ids]) if by_segment else np.zeros(1, dtype=np.int32)
    by_place = len(sides) * len(places)
    channel_of = np.full(population.n, -1, dtype=np.int64)
    if n_channels == by_place:
        place = np.searchsorted(places, population.segment[ids]) if by_segment else np.zeros(len(ids), dtype=np.int64)
        channel_of[ids] = population.side[ids].astype(np.int64) * len(places) + place
        labels = tuple(
            f"{side}{'_' if side and by_segment else ''}{p if by_segment else ''}" for side in sides for p in places
        )
        opposite = np.arange(by_place)
        if len(sides) == 2:
            opposite = np.roll(opposite, len(places))
    elif n_channels == len(ids):
        channel_of[ids] = np.arange(len(ids))
        labels, opposite = tuple(str(i) for i in ids), np.arange(len(ids))
    elif n_channels == 1:
        channel_of[ids] = 0
        labels, opposite = (population.name,), np.zeros(1, dtype=np.int64)
    else:
        how = f"{len(sides)} sides x {len(places)} segments = {by_place}" if by_segment else f"{by_place} (by side)"
        raise UnitError(
            f"population '{population.name}' gives {how} channels (or {len(ids)}, one a neuron, or 1), "
            f"but there are {n_channels}"
        )
    sizes = np.bincount(channel_of[channel_of >= 0], minlength=n_channels).astype(np.float64)
    if (sizes == 0).any():
        raise UnitError(f"channel {labels[int(np.argmin(sizes))]} of population '{population.name}' has no neurons")
    return Groups(channel_of, sizes, opposite, labels)


class Spread:
    """Values of channels at neurons: x[lower] (1 - f) + x[upper] f, with an extra channel that is always 0.

    Two terms written out instead of a matrix product: the same bits on every machine.
    """

    def __init__(self, lower: I64, upper: I64, fraction: F64, n_channels: int) -> None:
        self._lower, self._upper = (np.ascontiguousarray(x, dtype=np.int64) for x in (lower, upper))
        self._fraction, self._n_channels = fraction, n_channels

    def __call__(self, x: F64) -> F64:
        """Channel values (channels,) to neuron values (neurons,), now."""
        tape = Tape()
        found = self.on(tape, x)
        tape.play(0)
        return found

    def on(self, tape: Tape, x: F64) -> F64:
        """Channel values (channels,) to neuron values (neurons,), on a tape."""
        channels = np.zeros(self._n_channels + 1)
        tape.compute("copy", x, out=channels[:-1])
        low = tape.take(channels, self._lower)
        if not self._fraction.any():
            return low
        high = tape.take(channels, self._upper)
        tape.compute("mul", low, 1.0 - self._fraction, out=low)
        tape.compute("mul", high, self._fraction, out=high)
        return tape.compute("add", low, high, out=low)


def spread(population: PopulationIR, ids: I64, n_channels: int, interpolate: InterpolateSpec | None) -> Spread:
    """Which channel each of the neurons `ids` listens to: interpolated along y, else one for all, by side, or one each.

    Raises UnitError where the number of channels fits none of these.
    """
    if interpolate is not None:
        return _interpolated(population, ids, n_channels, interpolate)
    zero = np.zeros(len(ids))
    if n_channels == 1:
        own = np.zeros(len(ids), dtype=np.int64)
    elif n_channels == len(population.sides):
        own = population.side[ids].astype(np.int64)
    elif n_channels == len(ids):
        own = np.arange(len(ids))
    else:
        sides = f", {len(population.sides)} (by side)" if population.sides else ""
        raise UnitError(
            f"{n_channels} channels do not fit population '{population.name}': expected 1{sides} or {len(ids)} "
            "(one a neuron), or `interpolate`"
        )
    return Spread(own, own, zero, n_channels)


def _interpolated(population: PopulationIR, ids: I64, n_channels: int, interpolate: InterpolateSpec) -> Spread:
    if len(interpolate.at) != n_channels:
        raise UnitError(f"interpolate.at has {len(interpolate.at)} positions for {n_channels} channels")
    # position n_channels is the channel that is always 0
    at = np.array([*interpolate.at, *interpolate.zero_at])
    channel = np.array([*range(n_channels), *[n_channels] * len(interpolate.zero_at)])
    order = np.argsort(at, kind="stable")
    at, channel = at[order], channel[order]
    if (np.diff(at) <= 0).any():
        raise UnitError("two positions of interpolate are the same")
    y = population.y[ids]
    upper = (
        np.clip(np.searchsorted(at, y, "right"), 1, len(at) - 1) if len(at) > 1 else np.zeros(len(y), dtype=np.int64)
    )
    lower = np.maximum(upper - 1, 0)
    width = np.where(upper > lower, at[upper] - at[lower], 1.0)
    fraction = np.clip((y - at[lower]) / width, 0.0, 1.0)
    return Spread(channel[lower], channel[upper], fraction, n_channels)
