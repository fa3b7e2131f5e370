"""Measures of spike trains: rates, population signals, latency. Pure functions of arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cosim.analyse.signals import Array


def mean_rate(times: Array, n: int, start: float, stop: float) -> float:
    """Mean firing rate (Hz) of ``n`` neurons over [start, stop) seconds."""
    if n == 0 or stop <= start:
        return float("nan")
    inside = np.count_nonzero((times >= start - 1e-9) & (times < stop - 1e-9))
    return float(inside / (n * (stop - start)))


def population_rate(
    times: Array,
    ids: npt.NDArray[np.int64],
    channel: npt.NDArray[np.int64],
    start: float,
    stop: float,
    bin: float = 0.005,
    smooth: float = 0.02,
) -> Array:
    """Smoothed firing rates (Hz) of groups of neurons, (bins, channels).

    ``channel`` gives every neuron its group, -1 for none. Spikes are counted in bins of ``bin`` seconds over [start,
    stop), divided by the group's size and smoothed with a Gaussian of standard deviation ``smooth`` seconds.
    """
    groups = int(channel.max(initial=-1)) + 1
    bins = int((stop - start) / bin + 1e-9)
    index = np.floor((times - start) / bin + 1e-9).astype(np.int64)
    mine = channel[ids]
    kept = (index >= 0) & (index < bins) & (mine >= 0)
    counts = np.bincount(index[kept] * groups + mine[kept], minlength=bins * groups).reshape(bins, groups)
    sizes = np.bincount(channel[channel >= 0], minlength=groups)
    rates = counts / (np.maximum(sizes, 1) * bin)
    if smooth > 0 and bins:
        reach = int(np.ceil(4 * smooth / bin))
        kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * bin / smooth) ** 2)
        # at the ends the kernel is cut and what remains of it is normalised again: no fall to zero
        weight = np.convolve(np.ones(bins), kernel)[reach : reach + bins]
        rates = np.stack(
            [np.convolve(rates[:, k], kernel)[reach : reach + bins] / weight for k in range(groups)], axis=1
        )
    return np.asarray(rates, dtype=np.float64)


def latency(time: Array, values: Array, onset: float, threshold: float | None = None, sds: float = 5.0) -> float:
    """Time (s) from ``onset`` to the first deviation of a signal from what it was before; NaN if it never deviates.

    ``values`` (n,) or (n, channels): the earliest channel counts. The signal deviates when it is further than
    ``threshold`` (its own unit) from its mean before the onset. Without a threshold that is ``sds`` standard
    deviations of the signal before the onset, and at least 1e-6 of its largest deviation afterwards, so that
    rounding does not count.
    """
    columns = np.asarray(values, dtype=np.float64).reshape(len(time), -1)
    before = time < onset
    if not before.any() or before.all():
        return float("nan")
    deviation = np.abs(columns - columns[before].mean(axis=0))
    limit: npt.ArrayLike
    if threshold is None:
        limit = np.maximum(sds * columns[before].std(axis=0), 1e-6 * deviation[~before].max(axis=0))
    else:
        limit = threshold
    late = np.flatnonzero((deviation > limit).any(axis=1) & ~before)
    return float(time[late[0]] - onset) if len(late) else float("nan")


def response(time: Array, values: Array, onset: float, end: float = np.inf) -> tuple[float, float]:
    """Largest deviation of a signal (n,) over [onset, end] from its last value before the onset, with its sign, and the
    time (s) from the onset until half of it; NaN, NaN where there is nothing before or after."""
    before, after = np.flatnonzero(time < onset + 1e-9), np.flatnonzero((time > onset + 1e-9) & (time <= end + 1e-9))
    if not len(before) or not len(after):
        return float("nan"), float("nan")
    deviation = values[after] - values[before[-1]]
    amplitude = float(deviation[np.abs(deviation).argmax()])
    half = after[np.flatnonzero(deviation * np.sign(amplitude) >= 0.5 * abs(amplitude))[0]]
    return amplitude, float(time[half] - onset)
