"""Walking on legs: order of the steps, speed, turning, falls, and what a push does. Pure functions of arrays, SI units,
and the measurement `walk`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from cosim.analyse import gait
from cosim.analyse.facts import perturbation_onset
from cosim.analyse.options import WalkOptions
from cosim.analyse.signals import Array
from cosim.errors import UserError
from cosim.record.result import Result, Trace
from cosim.spec.units import suggest

#: how long before and after a push the speed is taken, s
SPEED_WINDOW = 1.0


def tripod_order(phases: Array, with_first: npt.NDArray[np.bool_]) -> float:
    """How well legs step in two groups in antiphase: mean over time of ``|mean over legs of exp(i (phase - group))|``.

    ``phases`` (n, legs) in radians; ``with_first`` (legs,) says which legs step together, the others half a cycle
    later. 1 is a perfect tripod gait; six unrelated legs give about 0.37.
    """
    offset = np.where(with_first, 0.0, np.pi)
    return float(np.abs(np.exp(1j * (phases - offset)).mean(axis=1)).mean())


def step_frequency(phases: Array, dt: float) -> float:
    """Mean frequency of the legs (Hz): turns of their phases (n, legs) in radians over time."""
    if len(phases) < 2:
        return float("nan")
    turns = np.unwrap(phases, axis=0)[[0, -1]]
    return float((turns[1] - turns[0]).mean() / (2 * np.pi) / ((len(phases) - 1) * dt))


def yaw(orientation: Array) -> Array:
    """Unwrapped angle (radians, left is positive) of the x axis of a frame in the horizontal plane; ``orientation``
    (n, 4) are quaternions x, y, z, w."""
    x, y, z, w = np.asarray(orientation, dtype=np.float64).T
    return np.unwrap(np.arctan2(2 * (x * y + w * z), 1 - 2 * (y * y + z * z)))


def speed_after(com: Trace, onset: float, delay: float, f: float) -> float:
    """Speed in the second that begins ``delay`` after ``onset``, over that in the second before; NaN without either."""
    position = com.values[:, 0].astype(np.float64)
    speeds = []
    for start in (onset - SPEED_WINDOW, onset + delay):
        inside = (com.time >= start - 1e-9) & (com.time < start + SPEED_WINDOW - 1e-9)
        if inside.sum() * com.dt < 0.99 * SPEED_WINDOW:
            return float("nan")
        part = position[inside]
        speeds.append(gait.path_length(part, com.dt, f) / (len(part) * com.dt))
    return speeds[1] / speeds[0] if speeds[0] > 0 else float("nan")


def _phases(trace: Trace, tripod: Sequence[str]) -> tuple[Array, npt.NDArray[np.bool_]]:
    labels = [str(label) for label in trace.labels[0]]
    columns = [i for i, label in enumerate(labels) if label.endswith(".phase")]
    legs = [labels[i].removesuffix(".phase") for i in columns]
    absent = [leg for leg in tripod if leg not in legs]
    if absent:
        raise UserError(f"{trace.name} has no phase of {absent[0]}{suggest(absent[0], legs)}")
    return trace.values[:, columns].astype(np.float64), np.array([leg in tripod for leg in legs])


def walk(result: Result, options: WalkOptions, transient: float) -> dict[str, float | list[float]]:
    """step_frequency (Hz), tripod_order, walking_speed (mm/s, along the path, swaying within a step left out),
    walking_distance (mm, straight from where the record begins to where it ends), turning (deg/s, left is positive) and
    fallen (0 or 1, transient included); with a push, speed_after_push (over that before)."""
    trace = result.trace(f"wires/{options.wire}/delivered").after(transient)
    phases, together = _phases(trace, options.tripod)
    f = step_frequency(phases, trace.dt)
    whole = result.trace("body/com_position")
    com = whole.after(transient)
    path = gait.path_length(com.values[:, 0].astype(np.float64), com.dt, f)
    turn = result.trace("body/link_orientation").after(transient)
    heading = yaw(turn.values[:, 0])
    ends = whole.values[[0, -1], 0, :2].astype(np.float64)
    found: dict[str, float | list[float]] = {
        "step_frequency": f,
        "tripod_order": tripod_order(phases, together),
        "walking_speed": 1e3 * path / (len(com.values) * com.dt),
        "walking_distance": 1e3 * float(np.linalg.norm(ends[1] - ends[0])),
        "turning": float(np.degrees(heading[-1] - heading[0]) / (turn.time[-1] - turn.time[0])),
        "fallen": float(result.trace("body/fallen").values.max() > 0),
    }
    if options.push is not None:
        onset = perturbation_onset(result, options.push)
        found["speed_after_push"] = speed_after(whole, onset, options.recovery, f)
    return found
