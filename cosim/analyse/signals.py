"""Rhythm of sampled signals: frequency, phase lags, amplitudes, locking. Pure functions of arrays.

Signals are arrays (n,) or (n, channels), sampled every ``dt`` seconds. Where there is no rhythm the answer is NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

#: a signal is rhythmic if it resembles itself one period later at least this much (Pearson r)
RHYTHMIC = 0.3
#: and if the record holds at least this many periods
FEWEST_CYCLES = 3.0
#: length of the windows of cross-spectra, in cycles
WINDOW_CYCLES = 4.0


def _columns(x: npt.ArrayLike) -> Array:
    """As (n, channels), every channel without its mean and linear trend, scaled to unit variance; flat ones are left
    out."""
    columns = np.asarray(x, dtype=np.float64)
    columns = columns.reshape(len(columns), -1)
    if len(columns) < 4 or not np.isfinite(columns).all():
        return np.empty((len(columns), 0))
    t = np.arange(len(columns)) - (len(columns) - 1) / 2
    mean = columns.mean(axis=0)
    columns = columns - mean - np.outer(t, t @ columns / (t @ t))
    scale = columns.std(axis=0)
    # what is left of a constant or a straight line is rounding error, not a signal
    wide = scale > 1e-9 * np.maximum(
        np.abs(np.asarray(x, dtype=np.float64).reshape(len(columns), -1)).max(axis=0), 1e-300
    )
    return np.asarray(columns[:, wide] / scale[wide], dtype=np.float64)


def autocorrelation(x: npt.ArrayLike) -> Array:
    """Pearson r between x[:n-k] and x[k:] for every lag k = 0 .. n//2; (n//2 + 1,) or (n//2 + 1, channels).

    Each lag is normalised by the means and variances of the two parts that it compares, so a sine gives 1 after a whole
    period and -1 after half of one, however many periods the record has. Flat parts give NaN.
    """
    columns = np.asarray(x, dtype=np.float64)
    flat = columns.ndim == 1
    columns = columns.reshape(len(columns), -1)
    columns = columns - columns.mean(axis=0)
    n = len(columns)
    lags = np.arange(n // 2 + 1)
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(columns, size, axis=0)
    product = np.fft.irfft(spectrum * spectrum.conj(), size, axis=0)[lags]
    zero = np.zeros((1, columns.shape[1]))
    sums = np.concatenate([zero, np.cumsum(columns, axis=0)])
    squares = np.concatenate([zero, np.cumsum(columns**2, axis=0)])
    m = (n - lags)[:, None]
    head, head2 = sums[n - lags], squares[n - lags]
    tail, tail2 = sums[n] - sums[lags], squares[n] - squares[lags]
    variance = (head2 - head**2 / m) * (tail2 - tail**2 / m)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (product - head * tail / m) / np.sqrt(np.where(variance > 0, variance, np.nan))
    return np.asarray(r[:, 0] if flat else r, dtype=np.float64)


def frequency(x: npt.ArrayLike, dt: float, band: tuple[float, float] = (0.2, 20.0)) -> float:
    """Common frequency (Hz) of the channels, NaN where there is no rhythm.

    The highest peak, within ``band``, of the mean power spectrum of the standardised channels (linear trend removed,
    Hann window, zero padding to 8 times the length), refined by a parabola through the logarithms of the three
    highest bins. Rhythm means that the mean autocorrelation one period later is at least 0.3 and that the record
    holds three periods.
    When the strongest line is the second or third harmonic, the fundamental is taken: the shortest of one, two and
    three periods of the line at which the autocorrelation comes within 0.1 of its highest value among them.
    """
    columns = _columns(x)
    n = len(columns)
    if columns.shape[1] == 0:
        return float("nan")
    size = 1 << (8 * n - 1).bit_length()
    power = (np.abs(np.fft.rfft(columns * np.hanning(n)[:, None], size, axis=0)) ** 2).mean(axis=1)
    frequencies = np.fft.rfftfreq(size, dt)
    inside = np.flatnonzero((frequencies >= max(band[0], FEWEST_CYCLES / (n * dt))) & (frequencies <= band[1]))
    inside = inside[(inside > 0) & (inside < len(power) - 1)]
    # a local maximum: the flank of a line outside the band is not a line
    inside = inside[(power[inside] > power[inside - 1]) & (power[inside] >= power[inside + 1])]
    if not len(inside):
        return float("nan")
    peak = int(inside[np.argmax(power[inside])])
    below, top, above = np.log(power[peak - 1 : peak + 2] + 1e-300)
    curvature = below - 2 * top + above
    shift = 0.5 * (below - above) / curvature if curvature < 0 else 0.0
    line = float((peak + np.clip(shift, -0.5, 0.5)) / (size * dt))
    likeness = np.nanmean(autocorrelation(columns), axis=1)
    divisors = [m for m in (1, 2, 3) if line / m >= FEWEST_CYCLES / (n * dt) and line / m >= band[0]]
    values = [float(np.interp(m / (line * dt), np.arange(len(likeness)), likeness)) for m in divisors]
    if not values or max(values) < RHYTHMIC:
        return float("nan")
    return next(line / m for m, value in zip(divisors, values, strict=True) if value >= max(values) - 0.1)


def _demodulated(x: npt.ArrayLike, dt: float, f: float) -> npt.NDArray[np.complex128]:
    """Complex amplitudes at ``f`` of every channel, (windows, channels): Hann windows of about 4 cycles, half
    overlapping.

    The amplitudes are relative to a phase that runs on from window to window.
    """
    columns = np.asarray(x, dtype=np.float64)
    columns = columns.reshape(len(columns), -1)
    n = len(columns)
    length = min(n, max(4, round(WINDOW_CYCLES / (f * dt))))
    starts = np.unique(np.linspace(0, n - length, max(1, round(2 * n / length) - 1)).astype(int))
    window = np.hanning(length + 2)[1:-1]
    carrier = np.exp(-2j * np.pi * f * dt * np.arange(n))
    rows = []
    for start in starts:
        part = columns[start : start + length]
        part = part - window @ part / window.sum()
        rows.append((window * carrier[start : start + length]) @ part)
    return np.array(rows)


def phase_lags(x: npt.ArrayLike, dt: float, f: float) -> Array:
    """Lag of every channel behind its left neighbour at frequency ``f``, in cycles within (-0.5, 0.5]; (channels - 1,).

    From the cross-spectrum averaged over Hann windows of about four cycles (Welch), so a slow change of frequency does
    not matter. Positive: the channel follows its neighbour. NaN where a channel has no power at ``f``.
    """
    columns = np.asarray(x, dtype=np.float64)
    if not np.isfinite(f) or not np.isfinite(columns).all():
        return np.full(columns.shape[1] - 1, np.nan)
    amplitudes = _demodulated(columns, dt, f)
    cross = (amplitudes[:, 1:] * amplitudes[:, :-1].conj()).sum(axis=0)
    lags = -np.angle(cross) / (2 * np.pi)
    # -0.5 and 0.5 are the same lag: keep the one inside (-0.5, 0.5]
    lags = np.where(lags <= -0.5 + 1e-12, lags + 1.0, lags)
    return np.where(np.abs(cross) > 0, lags, np.nan)


def total_lag(x: npt.ArrayLike, dt: float, f: float) -> float:
    """Sum of the neighbours' lags from the first to the last channel (cycles): the wave number over their span."""
    return float(phase_lags(x, dt, f).sum())


def relative_phase(x: npt.ArrayLike, y: npt.ArrayLike, dt: float, f: float) -> float:
    """Phase of ``y`` behind ``x`` at ``f`` in cycles within [0, 1); 0.5 is antiphase."""
    lag = phase_lags(np.stack([np.asarray(x), np.asarray(y)], axis=1), dt, f)[0]
    return float(lag % 1.0)


def cycles(n: int, dt: float, f: float) -> list[slice]:
    """The whole cycles of 1/f seconds that fit in n samples, as slices that leave no sample out between them."""
    if not np.isfinite(f) or f <= 0:
        return []
    edges = np.round(np.arange(int(n * dt * f + 1e-9) + 1) / (f * dt)).astype(int)
    edges = np.minimum(edges, n)
    return [slice(int(a), int(b)) for a, b in pairwise(edges)]


def amplitudes(x: npt.ArrayLike, dt: float, f: float) -> Array:
    """Half of the peak-to-trough difference within a cycle of 1/f, averaged over the whole cycles; (channels,)."""
    columns = np.asarray(x, dtype=np.float64)
    columns = columns.reshape(len(columns), -1)
    whole = cycles(len(columns), dt, f)
    if not whole:
        return np.full(columns.shape[1], np.nan)
    return np.asarray(np.mean([np.ptp(columns[one], axis=0) / 2 for one in whole], axis=0), dtype=np.float64)


def ptcc(x: npt.ArrayLike, longest_lag: int | None = None) -> float:
    """Peak-to-trough correlation coefficient (Pazzaglia et al. 2025, PLoS Comput Biol 21:e1012101).

    Largest peak minus smallest trough of the autocorrelogram beyond the fall from lag zero, averaged over the channels;
    2 for a perfect rhythm, near 0 without one, NaN for flat signals. A peak or trough is a local extremum at a lag
    of at most ``longest_lag`` samples (default: half of the record).
    """
    columns = np.asarray(x, dtype=np.float64)
    r = autocorrelation(columns.reshape(len(columns), -1))
    r = r if longest_lag is None else r[: longest_lag + 1]
    values = []
    for one in r.T:
        if not np.isfinite(one).all():
            continue
        inner, before, after = one[1:-1], one[:-2], one[2:]
        troughs = inner[(inner <= before) & (inner < after)]
        peaks = inner[(inner >= before) & (inner > after)]
        values.append(peaks.max() - troughs.min() if len(peaks) and len(troughs) else 0.0)
    return float(np.mean(values)) if values else float("nan")


@dataclass(frozen=True)
class Locking:
    """How two rhythms keep together; see ``locking``."""

    locked: bool
    resultant: float
    drift: float
    phase: float


def analytic_phase(x: npt.ArrayLike, dt: float, f: float) -> Array:
    """Unwrapped phase (cycles) of the part of ``x`` between f/2 and 3f/2: argument of its analytic signal.

    The band-pass is a raised cosine in the frequency domain, 1 at ``f`` and 0 at the ends of the band, without phase
    shift. The first and last cycle or so suffer from the ends of the record.
    """
    signal = np.asarray(x, dtype=np.float64)
    spectrum = np.fft.fft(signal - signal.mean())
    distance = (np.fft.fftfreq(len(signal), dt) - f) / (0.5 * f)
    mask = np.where(np.abs(distance) < 1, 0.5 * (1 + np.cos(np.pi * distance)), 0.0)
    turns = np.angle(np.fft.ifft(2 * mask * spectrum)).astype(np.float64) / (2 * np.pi)
    return np.asarray(np.unwrap(turns, period=1.0), dtype=np.float64)


def locking(
    trunk: npt.ArrayLike, tail: npt.ArrayLike, dt: float, f: float, resultant: float = 0.9, slip: float = 0.25
) -> Locking:
    """Whether two rhythms around ``f`` keep their phase difference.

    The difference of the analytic phases is sampled once a cycle, without the first and last cycle of the record.
    ``resultant`` is the mean resultant length of these samples (1: always the same), ``drift`` the difference of the
    two frequencies (Hz; slope of the unwrapped phase difference, positive when the first is faster), ``phase`` the
    circular mean of how far the second lags (cycles within [0, 1)). Locked means a resultant of at least 0.9 and a
    drift that adds up to less than a quarter of a cycle over the record.
    """
    first, second = np.asarray(trunk, dtype=np.float64), np.asarray(tail, dtype=np.float64)
    whole = cycles(len(first), dt, f)[1:-1]
    if len(whole) < 3 or min(np.ptp(first), np.ptp(second)) == 0:
        return Locking(False, float("nan"), float("nan"), float("nan"))
    difference = analytic_phase(first, dt, f) - analytic_phase(second, dt, f)
    samples = np.array([difference[(one.start + one.stop) // 2] for one in whole])
    mean = np.exp(2j * np.pi * samples).mean()
    t = np.array([(one.start + one.stop) // 2 for one in whole]) * dt
    drift = float(np.polyfit(t - t.mean(), np.unwrap(samples, period=1.0), 1)[0])
    length = float(np.abs(mean))
    locked = length >= resultant and abs(drift) * (t[-1] - t[0]) < slip
    return Locking(bool(locked), length, drift, float(np.angle(mean) / (2 * np.pi) % 1.0))
