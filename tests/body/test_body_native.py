"""Compiled sub-steps do what those in Python do, to the bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cosim.body import ServoBody
from cosim.body.ports import Array
from cosim.neural.toolchain import has_compiler

Make = Callable[..., Any]

WORLDS: dict[str, dict[str, Any]] = {
    "ground": {"ground": {"plane": {"friction": 1.0, "slip": [{"at": "50 ms", "for": "20 ms", "friction": 0.1}]}}},
    "ball": {
        "ground": {"ball": {"radius": "4.98 mm", "mass": "54.6 mg", "friction": 1.3, "center": [0, 0, "-4.78 mm"]}},
        "tether": "vertical",
    },
    "air": {"tether": "fixed"},
}


def walked(body: ServoBody, ticks: int = 100) -> list[Array]:
    """Everything that can be seen, tick by tick."""
    start, seen = body.commands["position"].copy(), []
    for tick in range(ticks):
        wave = 0.2 * np.sin(0.08 * tick + np.arange(42))
        body.commands["position"][:] = start + wave
        body.commands["position_rate"][:] = 0.2 * 80 * np.cos(0.08 * tick + np.arange(42))
        body.commands["adhesion"][:] = tick % 40 > 20
        body.external["joint_torque"][3] = 1e-9 if 30 <= tick < 35 else 0.0
        body.external["link_force"][0, 1] = 2e-6 if 60 <= tick < 65 else 0.0
        body.step(tick)
        state = [body.state, *body.readings.values(), np.array(list(body.work.values()))]
        seen.append(np.concatenate([a.ravel() for a in state]))
    return seen


@pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
@pytest.mark.parametrize("world", WORLDS)
def test_compiled_ticks_have_the_bits_of_those_in_python(make: Make, shipped: Make, world: str) -> None:
    spec = shipped("fly")
    native, plain = make(spec, WORLDS[world], 1e-4, 10), make(spec, WORLDS[world], 1e-4, 10)
    assert native._native is not None
    plain._native = None
    for tick, (one, other) in enumerate(zip(walked(native), walked(plain), strict=True)):
        assert one.tobytes() == other.tobytes(), tick
    assert native.contacts.touches == plain.contacts.touches
    assert (world == "air") or native.readings["foot_force"].any()
