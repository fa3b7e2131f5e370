"""Measures of swimming and walking from the trajectory of a body. Pure functions of arrays, SI units."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from cosim.analyse.signals import Array, cycles

_PLANE = [0, 1]


def headings(head: Array, tail: Array, dt: float, f: float) -> Array:
    """Unit vector from tail to head in the horizontal plane, averaged over each whole cycle; (cycles, 2).

    The lateral swing of an undulating body averages out over a cycle.
    """
    axis = (np.asarray(head) - np.asarray(tail))[:, _PLANE]
    mean = np.array([axis[one].mean(axis=0) for one in cycles(len(axis), dt, f)]).reshape(-1, 2)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    unit: Array = np.divide(mean, length, out=np.full_like(mean, np.nan), where=length > 0)
    return unit


def forward_speed(com: Array, head: Array, tail: Array, dt: float, f: float) -> float:
    """Forward speed (m/s): mean over the cycles of the displacement of the centre of mass along the body's heading.

    Displacement over one cycle, projected on the mean heading of that cycle, divided by the cycle's length. On a
    straight path this is the net displacement along the mean heading over time; on a curved path it is the speed
    along the path;
    backward swimming is negative. ``com``, ``head``, ``tail``: (n, 3) in metres.
    """
    ahead = headings(head, tail, dt, f)
    whole = cycles(len(com), dt, f)
    plane = np.asarray(com)[:, _PLANE]
    steps = [
        (plane[min(one.stop, len(plane) - 1)] - plane[one.start])
        @ h
        / ((min(one.stop, len(plane) - 1) - one.start) * dt)
        for one, h in zip(whole, ahead, strict=True)
    ]
    return float(np.mean(steps)) if steps else float("nan")


def tail_beat(com: Array, head: Array, tail: Array, tip: Array, dt: float, f: float) -> float:
    """Tail-beat amplitude (m): half of the peak-to-peak lateral excursion of the tail tip about the line of
    progression.

    The line of progression of a cycle passes through the mean position of the centre of mass in that cycle and moves
    with its mean velocity; lateral is the horizontal normal of the cycle's heading. Averaged over the cycles. Arrays
    (n, 3).
    """
    ahead = headings(head, tail, dt, f)
    whole = cycles(len(com), dt, f)
    halves = []
    for one, h in zip(whole, ahead, strict=True):
        normal = np.array([-h[1], h[0]])
        centre = np.asarray(com)[one][:, _PLANE]
        t = np.arange(len(centre)) - (len(centre) - 1) / 2
        course = (centre[-1] - centre[0]) / max(len(centre) - 1, 1)
        lateral = (np.asarray(tip)[one][:, _PLANE] - np.outer(t, course)) @ normal
        halves.append(np.ptp(lateral) / 2)
    return float(np.mean(halves)) if halves else float("nan")


def path_length(com: Array, dt: float, f: float) -> float:
    """Length (m) of the horizontal path of the centre of mass, its wobble within a cycle averaged out.

    Sum of the distances between the mean positions of successive cycles, scaled up from the n - 1 intervals between
    them to the n cycles they stand for.
    """
    means = np.array([np.asarray(com)[one][:, _PLANE].mean(axis=0) for one in cycles(len(com), dt, f)])
    if len(means) < 2:
        return float("nan")
    return float(np.linalg.norm(np.diff(means, axis=0), axis=1).sum() * len(means) / (len(means) - 1))


def positive_work(power: npt.ArrayLike, dt: float) -> float:
    """Positive mechanical work (J): the sum over actuators of the integral of max(power, 0); ``power`` (n,
    actuators), W.

    Negative work is not counted back, as muscles do not store what is done on them.
    """
    return float(np.maximum(np.asarray(power, dtype=np.float64), 0.0).sum() * dt)


def cost_of_transport(power: npt.ArrayLike, dt: float, mass: float, distance: float) -> float:
    """Mechanical cost of transport in J/(kg m): positive work per body mass and distance; NaN without progress."""
    if not distance > 0:
        return float("nan")
    return positive_work(power, dt) / (mass * distance)
