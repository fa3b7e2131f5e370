"""Rhythm of graded neurons, each by itself. Pure functions of arrays, and the measurement `oscillation`."""

from __future__ import annotations

import numpy as np

from cosim.analyse.options import OscillationOptions
from cosim.analyse.signals import Array, frequency
from cosim.record.result import Result


def frequencies(values: Array, dt: float, band: tuple[float, float]) -> Array:
    """The frequency (Hz) of every column of ``values`` (n, neurons) by itself, NaN where it has no rhythm; (neurons,).

    See ``signals.frequency`` for what a rhythm is.
    """
    return np.array([frequency(column, dt, band) for column in values.T])


def oscillation(result: Result, options: OscillationOptions, transient: float) -> dict[str, float | list[float]]:
    """oscillation_frequency (Hz) and oscillation_sd (Hz): mean and standard deviation over the neurons with a rhythm,
    NaN without one (and the latter with fewer than two); oscillating: their share of the recorded neurons."""
    trace = result.trace(options.series).after(transient)
    found = frequencies(trace.values.astype(np.float64), trace.dt, options.band)
    rhythmic = found[np.isfinite(found)]
    return {
        "oscillation_frequency": float(rhythmic.mean()) if len(rhythmic) else float("nan"),
        "oscillation_sd": float(rhythmic.std(ddof=1)) if len(rhythmic) > 1 else float("nan"),
        "oscillating": len(rhythmic) / len(found) if len(found) else float("nan"),
    }
