"""The fly against exact mechanics: inverse dynamics of a held body, the momentum of a free one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from cosim.body import ServoBody
from cosim.body.inverse import required_torques

Make = Callable[..., Any]

DT = 1e-4
#: the treadmill of the published recordings (Lobato-Rios et al. 2022); its centre is under the thorax that stands on it
BALL = {
    "ball": {"radius": "4.98 mm", "mass": "54.6 mg", "friction": 1.3, "center": ["0.41 mm", "-0.03 mm", "-4.72 mm"]}
}
FLAT = {"plane": {"friction": 1.0}}
UNIT = 1e-9  # N m of the engine's torque


def walk(body: ServoBody, ticks: int) -> Iterator[int]:
    """Legs that swing at 5 Hz about the pose of the beginning, tripods in antiphase."""
    start = body.commands["position"].copy()
    labels = body.actuators["position"].labels
    phase = np.array([0.0 if n[6:8] in ("LF", "RM", "LH") else np.pi for n in labels])
    size = np.array([0.1 if "roll" not in n else 0.05 for n in labels])
    for tick in range(ticks):
        angle = 2 * np.pi * 5 * tick * DT * body.substeps + phase
        body.commands["position"][:] = start + size * np.sin(angle)
        body.commands["position_rate"][:] = size * 2 * np.pi * 5 * np.cos(angle)
        body.step(tick)
        yield tick


@pytest.mark.parametrize("ground", [{}, BALL])
def test_torques_of_a_held_fly_are_those_of_inverse_dynamics_less_the_contacts(
    make: Make, shipped: Make, ground: dict[str, Any]
) -> None:
    """tau = ID(q0, v0, (v1 - v0)/dt) - sum J^T f, to six decimals (of uN mm)."""
    body = make(shipped("fly", height="1.2 mm"), {"ground": ground, "tether": "fixed"}, DT, 1)
    assert isinstance(body, ServoBody)
    worst, largest, touched, before = 0.0, 0.0, 0, body.table.copy()
    for tick in walk(body, 400):
        if tick >= 100:
            applied = body.drive.torques[0] * UNIT
            worst = max(worst, float(np.abs(required_torques(body, before) - applied).max()))
            largest = max(largest, float(np.abs(applied).max()))
            touched += len(body.contacts.touches[0]) if ground else 0
        before = body.table.copy()
    assert (touched > 100) is bool(ground)
    assert largest > (1.0 if ground else 0.05) * UNIT
    assert worst < 1e-6 * UNIT


def test_momentum_of_a_free_fly_changes_by_contacts_and_weight(make: Make, shipped: Make) -> None:
    """dp/dt = sum F - W in every step, with and without adhesion; RMS at most 1e-3 uN."""
    body = make(shipped("fly"), {"ground": FLAT}, DT, 1)
    weight, wrong, loads = body.total_mass * 9.81, [], []
    before = body.momentum()[:3]
    for tick in walk(body, 1200):
        body.commands["adhesion"][:] = 1.0 if tick > 800 else 0.0
        force = body.readings["contact_force"].sum(axis=0) + body.readings["adhesion_force"].sum(axis=0)
        now = body.momentum()[:3]
        if tick > 300:
            wrong.append((now - before) / DT - force + np.array([0.0, 0.0, weight]))
            loads.append(-body.readings["adhesion_force"][:, 2].sum())
        before = now
    assert np.sqrt(np.mean(np.square(wrong), axis=0)).max() < 1e-9
    assert max(loads) > 10e-6
    assert np.mean(loads[:480]) == 0.0
