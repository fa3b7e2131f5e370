"""What brings a body in PyBullet back to the bit: a snapshot if it is free, passing through it if it touches."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pybullet as p
import pytest
import yaml

from cosim.body import Body, build
from cosim.body.engine import load
from cosim.errors import UserError
from cosim.spec.body import WorldSpec
from tests.body.conftest import parse_body, shipped

WATER = {"water": {"density": "1000 kg/m^3"}}
GROUND = {"ground": {"plane": {"friction": 0.4, "restitution": 0.5}}}
THROWN = {"at": [0, 0, "8 mm"], "rpy": ["10 deg", "20 deg", "5 deg"], "velocity": ["0.3 m/s", "0.1 m/s", 0]}
BOX = {"shape": {"box": {"size": ["10 mm", "6 mm", "3 mm"]}}, "mass": "1 g"}


def part(x: str, y: str) -> dict[str, Any]:
    return {"shape": {"box": {"size": ["3 mm", "3 mm", "3 mm"]}}, "at": [x, y, "-2 mm"], "mass": "0.2 g"}


CHAIN = {
    "links": {"a": BOX, "b": BOX, "c": {"shape": {"capsule": {"length": "6 mm", "radius": "2 mm"}}, "mass": "1 g"}},
    "joints": {
        "j": {"parent": "a", "child": "b", "axis": [0, 1, 0], "at": ["11 mm", 0, 0], "limits": ["-60 deg", "60 deg"]},
        "k": {"parent": "b", "child": "c", "axis": [0, 0, 1], "at": ["11 mm", 0, 0], "friction": "1e-7 N*m"},
    },
    "initial": THROWN,
    "self_collision": True,
}
TABLE = {"links": {"a": {**BOX, "parts": [part("4 mm", "2 mm"), part("-4 mm", "2 mm"), part("-4 mm", "-2 mm")]}},
         "initial": THROWN}  # fmt: skip


def written(raw: dict[str, Any], world: dict[str, Any]) -> Body:
    return build(parse_body(yaml.safe_dump(raw)), WorldSpec.model_validate(world), 1e-3, 1)


def from_zoo(name: str, world: dict[str, Any]) -> Body:
    return build(shipped(name), WorldSpec.model_validate(world), 1e-3, 1)


MAKE: dict[str, Callable[[], Body]] = {
    "lever": lambda: from_zoo("lever", {}),
    "salamander": lambda: from_zoo("salamander", WATER),
    "crawler": lambda: from_zoo("salamander", {"ground": {"plane": {"height": "-5 mm", "friction": 0.4}}}),
    "chain": lambda: written(CHAIN, GROUND),
    "table": lambda: written(TABLE, GROUND),
}


def move(body: Body, tick: int) -> None:
    """One tick under activations that differ from muscle to muscle, and a push for a while."""
    if "activation" in body.commands:
        command = body.commands["activation"]
        command[:] = 1.0 + 0.5 * np.sin(2e-3 * np.pi * 1.2 * tick + 0.4 * np.arange(len(command)))
    body.external["link_force"][0] = (0.0, 1e-3, 0.0) if 30 <= tick < 60 else 0.0
    body.step(tick)


def bits(body: Body) -> bytes:
    """Everything that can be seen."""
    return b"".join([body.state.tobytes(), *(a.tobytes() for a in body.readings.values()), repr(body.work).encode()])


def pick(name: str, n: int, last: int) -> list[int]:
    return sorted(np.random.default_rng(sum(map(ord, name))).choice(last, n, replace=False).tolist())


@pytest.mark.parametrize("name", ["lever", "salamander"])
def test_a_free_body_goes_on_from_its_snapshot_as_if_nothing_had_been(name: str) -> None:
    body, ticks = MAKE[name](), 200
    assert body.restores_exactly
    wanted, snapshots = [], {}
    for tick in range(ticks):
        if tick in (chosen := pick(name, 10, ticks)):
            snapshots[tick] = body.snapshot()
        move(body, tick)
        wanted.append(bits(body))
    body.close()
    for start in chosen:
        other = MAKE[name]()
        other.restore(snapshots[start])
        for tick in range(start, min(start + 40, ticks)):
            move(other, tick)
            assert bits(other) == wanted[tick], (start, tick)
        other.close()


@pytest.mark.parametrize("name", ["crawler", "chain", "table"])
def test_a_body_that_touches_and_passes_through_its_snapshots_equals_one_that_goes_on_from_them(name: str) -> None:
    body, ticks = MAKE[name](), 300
    assert not body.restores_exactly
    chosen = pick(name, 10, ticks)
    wanted, snapshots, touched = [], {}, 0
    for tick in range(ticks):
        if tick in chosen:
            touched += bool(p.getContactPoints(physicsClientId=body.engine.client))
            snapshots[tick] = body.snapshot()
            body.restore(snapshots[tick])
        move(body, tick)
        wanted.append(bits(body))
    body.close()
    assert touched > 5
    for start in chosen[::3]:
        other = MAKE[name]()
        other.restore(snapshots[start])
        for tick in range(start, ticks):
            if tick in chosen[chosen.index(start) + 1 :]:
                other.restore(other.snapshot())
            move(other, tick)
            assert bits(other) == wanted[tick], (start, tick)
        other.close()


def test_why_a_body_that_touches_must_pass_through() -> None:
    """Bullet issue 4387: several shapes a link. When this fails Bullet was mended, and the detour can go."""
    body, differ = MAKE["table"](), 0
    snapshots, wanted = {}, []
    for tick in range(200):
        snapshots[tick] = body.snapshot()
        move(body, tick)
        wanted.append(bits(body))
    body.close()
    for start in range(60, 200, 14):
        other = MAKE["table"]()
        other.restore(snapshots[start])
        move(other, start)
        differ += bits(other) != wanted[start]
        other.close()
    assert differ > 0


def test_why_the_snapshot_is_bullet_s_own_file() -> None:
    """The numbers that PyBullet shows do not bring a floating body back: the orientation comes by way of a matrix."""
    body, differ = MAKE["salamander"](), 0
    for tick in range(60):
        move(body, tick)
        engine, state = body.engine, body.state
        fresh = load(body.spec, body.world, body.dt)
        c, n = fresh.client, len(fresh.dofs)
        p.resetBasePositionAndOrientation(fresh.body, state[:3].tolist(), state[3:7].tolist(), physicsClientId=c)
        p.resetBaseVelocity(fresh.body, state[7:10].tolist(), state[10:13].tolist(), physicsClientId=c)
        for index, q, v in zip(fresh.dofs, state[13 : 13 + n].tolist(), state[13 + n :].tolist(), strict=True):
            p.resetJointState(fresh.body, index, q, v, physicsClientId=c)
        shown = [p.getBasePositionAndOrientation(e.body, physicsClientId=e.client) for e in (engine, fresh)]
        differ += shown[0] != shown[1]
        fresh.close()
    body.close()
    assert differ > 0


def test_a_snapshot_of_another_body_is_refused() -> None:
    body, other = MAKE["lever"](), MAKE["salamander"]()
    with pytest.raises(UserError, match=r"does not fit body 'lever': \w+ differs"):
        body.restore(other.snapshot())
    body.close()
    other.close()


def test_bodies_can_touch_where_there_is_ground_or_self_collision() -> None:
    free: dict[str, Any] = {"links": {"a": BOX}}
    cases = [(free, {}, True), (free, GROUND, False), ({**free, "self_collision": True}, {}, False)]
    for raw, world, exactly in cases:
        body = written(raw, world)
        assert body.restores_exactly is exactly
        body.close()
