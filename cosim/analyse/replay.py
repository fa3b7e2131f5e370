"""What a replay of measured kinematics gives: tracking, forces, torques, and contacts beside a measured record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosim.analyse.agreement import pearson
from cosim.analyse.options import ReplayOptions
from cosim.analyse.stances import Agreement, Stances, binned, compare, read_stances
from cosim.errors import UserError
from cosim.record.result import Result, Trace
from cosim.spec.units import suggest

F64 = NDArray[np.float64]
CONTACTS = (
    "contact_balanced_accuracy", "contact_r", "contact_balanced_accuracy_shifted", "contact_r_shifted",
)  # fmt: skip


def replay(result: Result, options: ReplayOptions, transient: float) -> dict[str, float | list[float]]:
    """tracking_rmse_mean and _worst (deg) over the joints, vertical_force_over_weight (mean), ground_speed (mm/s),
    torque_rms (uN mm, all joints), positive_power (nW, sum over the joints of the positive power's mean); with a record
    of contacts contact_balanced_accuracy and contact_r (means of the legs) and the best of the circular shifts."""
    begin, end = window(result, options, transient)
    errors = tracking(result, options, begin, end)
    found: dict[str, float | list[float]] = {
        "tracking_rmse_mean": float(errors.mean()),
        "tracking_rmse_worst": float(errors.max()),
        "vertical_force_over_weight": force_over_weight(result, begin, end),
        "ground_speed": 1e3 * ground_speed(result, begin, end),
        "torque_rms": float("nan"),
        "positive_power": float("nan"),
    }
    if "body/joint_torque" in result.series:
        found["torque_rms"] = 1e9 * float(np.sqrt(np.mean(_part(result, "body/joint_torque", begin, end) ** 2)))
    if "body/joint_power" in result.series:
        power = _part(result, "body/joint_power", begin, end)
        found["positive_power"] = 1e9 * float(np.maximum(power, 0.0).mean(axis=0).sum())
    if options.contacts is not None:
        agreement = contacts(result, options, begin, end)
        best = agreement.shifted.max(axis=0, initial=-np.inf)
        found |= dict(zip(CONTACTS, (agreement.mean_accuracy, agreement.mean_r, *map(float, best)), strict=True))
    return found


def window(result: Result, options: ReplayOptions, transient: float) -> tuple[float, float]:
    """What is measured: after the transient, or the part asked for. UserError where that was not recorded."""
    begin, end = options.between or (transient, result.duration)
    if not begin < end <= result.duration + result.tick:
        raise UserError(f"{result.path}: {result.duration:g} s were recorded, measure.replay.between ends at {end:g} s")
    return begin, end


def _part(result: Result, name: str, begin: float, end: float) -> F64:
    trace = result.trace(name)
    return np.asarray(trace.values[_inside(trace, begin, end)], dtype=np.float64)


def _inside(trace: Trace, begin: float, end: float) -> NDArray[np.bool_]:
    """The readings of [begin, end]: each stands at the end of its interval."""
    slack = 1e-6 * trace.dt
    return np.asarray((trace.time > begin + slack) & (trace.time < end + slack))


def command_of(result: Result, wanted: str | None) -> Trace:
    """Where the joints were to be. UserError where nothing was replayed, or several things and none is named."""
    known = [name.removeprefix("commands/") for name in result.series if name.startswith("commands/")]
    if wanted is None and len(known) == 1:
        return result.trace(f"commands/{known[0]}")
    if wanted in known:
        return result.trace(f"commands/{wanted}")
    if not known:
        raise UserError(f"{result.path}: no kinematics were replayed")
    hint = f"no replayed command '{wanted}'{suggest(wanted, known)}" if wanted else "which command? Give `command`"
    raise UserError(f"{result.path}: {hint}; there are {', '.join(known)}")


def tracking(result: Result, options: ReplayOptions, begin: float, end: float) -> F64:
    """Root mean square error (joints,) of the replayed joints' angles, deg."""
    target, angle = command_of(result, options.command), result.trace("body/joint_angle")
    labels = [str(label) for label in angle.labels[0]]
    rows = [labels.index(str(name)) for name in target.labels[0]]
    inside = _inside(angle, begin, end)
    error = angle.values[inside][:, rows] - target.values[inside]
    return np.asarray(np.degrees(np.sqrt(np.mean(error.astype(np.float64) ** 2, axis=0))))


def force_over_weight(result: Result, begin: float, end: float) -> float:
    """Mean vertical contact force over the body's weight; NaN where it was not recorded."""
    facts: dict[str, Any] = result.manifest.get("body") or {}
    weight = float(facts.get("total_mass") or np.nan) * float(facts.get("gravity") or np.nan)
    if "body/contact_force" not in result.series:
        return float("nan")
    return float(_part(result, "body/contact_force", begin, end)[:, :, 2].sum(axis=1).mean() / weight)


def ground_speed(result: Result, begin: float, end: float) -> float:
    """Speed (m/s) over the ground: of the surface of the ball along x under a body that is held above it, else the net
    horizontal displacement of the centre of mass over time; NaN where it was not recorded.

    The ball's hinges turn about -y, then x, then -z; so its spin about -y is dq_1 - sin(q_2) dq_3.
    """
    radius = (result.manifest.get("body") or {}).get("ball_radius")
    if radius and {"body/ball_angle", "body/ball_velocity"} <= set(result.series):
        angle, speed = (_part(result, f"body/ball_{name}", begin, end) for name in ("angle", "velocity"))
        return float(radius * np.mean(speed[:, 0] - np.sin(angle[:, 1]) * speed[:, 2]))
    if "body/com_position" not in result.series:
        return float("nan")
    trace = result.trace("body/com_position")
    inside = np.flatnonzero(_inside(trace, begin, end))
    way = trace.values[inside[-1], 0, :2] - trace.values[inside[0], 0, :2]
    return float(np.linalg.norm(way) / max(trace.time[inside[-1]] - trace.time[inside[0]], trace.dt))


def stance_forces(result: Result, stances: Stances) -> F64:
    """Vertical force (n, legs) on each leg's foot in the frames of a record, N. UserError where a leg has no foot."""
    trace = result.trace("body/foot_force")
    feet = [str(label) for label in trace.labels[0]]
    unknown = [leg for leg in stances.legs if leg not in feet]
    if unknown:
        raise UserError(f"the record of contacts has the leg '{unknown[0]}', the body the feet {', '.join(feet)}")
    force = trace.values[:, [feet.index(leg) for leg in stances.legs], 2].astype(np.float64)
    return binned(trace.time, force, stances.time, stances.dt)


def contacts(result: Result, options: ReplayOptions, begin: float, end: float) -> Agreement:
    """The feet's forces beside the record of contacts."""
    assert options.contacts is not None
    stances = read_stances(Path(options.contacts)).between(begin, end)
    if len(stances.time) < 2:
        raise UserError(f"{options.contacts}: no frames between {begin:g} s and {end:g} s")
    return compare(stance_forces(result, stances), stances, options.threshold, options.shifts)


def force_correlation(result: Result, stances: Stances) -> F64:
    """Pearson's r (legs,) between the size of the force and the record."""
    force = stance_forces(result, stances)
    return np.array([pearson(a, b) for a, b in zip(force.T, stances.down.T, strict=True)])


__all__ = ["contacts", "replay", "stance_forces", "tracking", "window"]
