"""What a renderer needs to draw a body: plain lists and numbers, ready for JSON."""

from __future__ import annotations

from typing import Any

import pybullet as p

from cosim.body.algebra import compose
from cosim.body.engine import Engine
from cosim.spec.body import GREY, ORIGIN, BodySpec, PartSpec

_KIND = {p.GEOM_BOX: "box", p.GEOM_SPHERE: "sphere", p.GEOM_CAPSULE: "capsule", p.GEOM_CYLINDER: "cylinder"}


def describe(spec: BodySpec, engine: Engine) -> dict[str, Any]:
    """``{length, axis, forward, links: [{name, mass, com, shapes: [...]}]}``, links in the order of the ports.

    A shape is ``{kind, size, at, quaternion, color}`` in the frame of its link (x, y, z, w): kind box with size
    [x, y, z], sphere [radius], cylinder and capsule [length, radius] along the shape's own z, mesh [scale] and `file`.
    """
    links = []
    for row, name in enumerate(engine.links):
        shapes = _document_shapes(spec, name) if spec.links else _engine_shapes(engine, row)
        links.append({"name": name, "mass": float(engine.mass[row]), "com": engine.com[row].tolist(), "shapes": shapes})
    return {
        "length": spec.length,
        "axis": list(spec.axis) or list(engine.links),
        "forward": list(spec.forward),
        "sites": {name: {"link": s.link, "at": list(s.at)} for name, s in spec.sites.items()},
        "links": links,
    }


_ALONG = {"x": (0.0, 0.5**0.5, 0.0, 0.5**0.5), "y": (-(0.5**0.5), 0.0, 0.0, 0.5**0.5), "z": (0.0, 0.0, 0.0, 1.0)}


def _document_shapes(spec: BodySpec, name: str) -> list[dict[str, Any]]:
    link = spec.links[name]
    main = [] if link.shape is None else [PartSpec.model_construct(
        shape=link.shape, at=link.at, rpy=link.rpy, mass=0.0, color=link.color, collide=link.collide)]  # fmt: skip
    shapes: list[dict[str, Any]] = []
    for part in [*main, *link.parts]:
        solid = part.shape.solid
        turn = p.getQuaternionFromEuler(part.rpy)
        along = getattr(solid, "along", "z")
        turn = compose((ORIGIN, turn), (ORIGIN, _ALONG[along]))[1]
        values = solid.model_dump(exclude={"along", "file"})
        size = [x for value in values.values() for x in (value if isinstance(value, tuple) else (value,))]
        shape = {"kind": type(solid).__name__.lower(), "size": size, "at": list(part.at), "quaternion": list(turn),
                 "color": list(part.color)}  # fmt: skip
        if "file" in type(solid).model_fields:
            shape["file"] = str((spec.directory / getattr(solid, "file")).resolve())  # noqa: B009
        shapes.append(shape)
    return shapes


def _engine_shapes(engine: Engine, row: int) -> list[dict[str, Any]]:
    """Collision shapes of a body from a file, as Bullet keeps them: relative to the centre of mass's frame."""
    shapes: list[dict[str, Any]] = []
    com = p.getDynamicsInfo(engine.body, row - 1, physicsClientId=engine.client)[3:5]
    for data in p.getCollisionShapeData(engine.body, row - 1, physicsClientId=engine.client):
        kind = _KIND.get(data[2], "mesh")
        size = {"box": list(data[3]), "sphere": [data[3][0]]}.get(kind, [data[3][0], data[3][1]])
        at, turn = compose(com, (data[5], data[6]))
        shape = {"kind": kind, "size": size, "at": list(at), "quaternion": list(turn), "color": list(GREY)}
        if kind == "mesh":
            shape["size"], shape["file"] = [data[3][0]], data[4].decode(errors="replace")
        shapes.append(shape)
    return shapes
