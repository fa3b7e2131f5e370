"""What measurements need to know beyond the recorded series: the anatomy of the body, the axis, perturbations.

It stands in the manifest: ``geometry`` as the body describes itself (``length`` in m, ``axis`` link names from head to
tail, ``links`` with ``name``, ``mass`` in kg and ``com`` in the link's frame), ``axis`` of the circuit (``length``
in m, ``segments``) and ``perturb`` (name -> ``at`` in s).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cosim.analyse.signals import Array
from cosim.errors import UserError
from cosim.record.layout import PopulationLayout
from cosim.record.result import Result


@dataclass(frozen=True)
class Anatomy:
    """Trajectories (n, 3) in m of a body's centre of mass, head, tail and tail tip, sampled every ``dt`` s.

    ``power`` (m, joints) in W every ``power_dt`` s, None if it was not recorded; ``mass`` kg, ``length`` m.
    """

    dt: float
    com: Array
    head: Array
    tail: Array
    tip: Array
    power: Array | None
    power_dt: float
    mass: float
    length: float


def anatomy(
    result: Result,
    transient: float,
    *,
    axis: list[str] | None = None,
    length: float | None = None,
    tip: str | None = None,
) -> Anatomy:
    """The anatomy after the transient, from the manifest unless given. UserError if something is not known."""
    facts: dict[str, Any] = result.manifest.get("geometry") or {}
    trace = result.trace("body/link_position").after(transient)
    links = [str(label) for label in trace.labels[0]]
    axis = axis or [str(link) for link in facts.get("axis") or links]
    missing = [link for link in axis if link not in links]
    if missing:
        raise UserError(f"link {missing[0]} of the body's axis was not recorded; there are {', '.join(links)}")
    length = length or facts.get("length")
    if not length:
        raise UserError(f"{result.path}: the body length is not known; give `length` in the body or under measure.swim")
    masses = np.array([float(_link(facts, name).get("mass", np.nan)) for name in links])
    positions = trace.values.astype(np.float64)
    power, power_dt = joint_power(result, transient)
    head, tail = positions[:, links.index(axis[0])], positions[:, links.index(axis[-1])]
    return Anatomy(
        dt=trace.dt,
        com=_centre_of_mass(result, transient, links, masses, positions),
        head=head,
        tail=tail,
        tip=_tip(result, transient, tip, dict(zip(links, positions.swapaxes(0, 1), strict=True)), tail),
        power=power,
        power_dt=power_dt,
        mass=float(masses.sum()),
        length=float(length),
    )


def _link(facts: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next((link for link in facts.get("links") or () if link["name"] == name), {})
    return found


def _centre_of_mass(result: Result, transient: float, links: list[str], masses: Array, positions: Array) -> Array:
    """The sensor com_position; without it the origins of the links' frames weighted by mass (equally if not known)."""
    if "body/com_position" in result.series:
        return np.asarray(result.trace("body/com_position").after(transient).values[:, 0], dtype=np.float64)
    weights = masses if np.isfinite(masses).all() and masses.sum() > 0 else np.ones(len(links))
    return np.tensordot(positions, weights / weights.sum(), axes=([1], [0]))


def _tip(result: Result, transient: float, name: str | None, links: dict[str, Array], tail: Array) -> Array:
    """Trajectory of the site or link ``name``; without a name of the site tail_tip, or else of the last link."""
    if name in links:
        return links[str(name)]
    if "body/site_position" in result.series:
        trace = result.trace("body/site_position").after(transient)
        sites = [str(label) for label in trace.labels[0]]
        if (name or "tail_tip") in sites:
            return np.asarray(trace.values[:, sites.index(name or "tail_tip")], dtype=np.float64)
    if name is not None:
        raise UserError(f"measure.swim.tip: no recorded site or link {name}; links are {', '.join(links)}")
    return tail


def joint_power(result: Result, transient: float) -> tuple[Array | None, float]:
    """Mechanical power (W) that the joints' torques deliver, (n, joints), and its sampling interval (s).

    The whole torque of a joint (muscles, motors, springs and dampers: what its links feel) times angular velocity of
    every joint; None where the two sensors were not recorded at the same times.
    """
    if not {"body/joint_torque", "body/joint_velocity"} <= set(result.series):
        return None, float("nan")
    torque = result.trace("body/joint_torque").after(transient)
    velocity = result.trace("body/joint_velocity").after(transient)
    if torque.values.shape != velocity.values.shape:
        return None, float("nan")
    return np.asarray(torque.values * velocity.values, dtype=np.float64), torque.dt


def axis_length(result: Result, population: PopulationLayout) -> float:
    """Length (m) of the body axis: the circuit's, else the body's, else the furthest neuron of the population."""
    for facts in (result.manifest.get("axis"), result.manifest.get("geometry")):
        if facts and facts.get("length"):
            return float(facts["length"])
    y = population.positions.get("y")
    return float(y.max()) if y is not None and y.size and y.max() > 0 else 1.0


def axis_segments(result: Result) -> int:
    """Number of segments of the circuit's axis; 1 without one."""
    return int((result.manifest.get("axis") or {}).get("segments") or 1)


def perturbation_onset(result: Result, name: str) -> float:
    """When the perturbation ``name`` began (s); UserError if the run had none of that name."""
    known: dict[str, Any] = result.manifest.get("perturb") or {}
    if name not in known:
        raise UserError(f"{result.path}: no perturbation {name}; there are {', '.join(known) or 'none'}")
    return float(known[name]["at"])
