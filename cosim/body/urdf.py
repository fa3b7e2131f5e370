"""A body document as URDF text, one element a line: Bullet does not parse lines longer than about 8 kB."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cosim.body.inertia import ALONG, MassProperties, of_link, rotation, rpy_of
from cosim.body.ports import Array
from cosim.body.units import Units
from cosim.spec.body import (
    BodySpec,
    Box,
    Capsule,
    Cylinder,
    InitialSpec,
    JointSpec,
    LinkSpec,
    Mesh,
    PartSpec,
    ShapeSpec,
    Sphere,
)

_KIND = {"hinge": "revolute", "slider": "prismatic", "fixed": "fixed"}
# A hinge without limits is "continuous"; a slider without needs some, so far away that they are never met.
_FAR = 1e6
#: name of the rail's own link and joint
RAIL = "rail of the tether"
_NO_MASS = MassProperties(0.0, np.zeros(3), np.zeros((3, 3)))
SI = Units()


def to_urdf(body: BodySpec, units: Units = SI, rail: bool = False) -> str:
    """URDF text, in `units`, of a body whose links stand in the document; numbers read back unchanged.

    With `rail` the root hangs on a slider along the world's z, at its initial pose, and the rail is the root.
    """
    lines = [f"<robot name={_quoted(body.name)}>"]
    order = link_order(body)
    if rail:
        lines += [f"<link name={_quoted(RAIL)}>", *_inertial(_NO_MASS, units), "</link>"]
    armature = {joint.child: joint.armature for joint in body.joints.values()}
    for name in order:
        lines += _link(name, body.links[name], armature.get(name, 0.0), body.directory, units)
    if rail:
        lines += _rail(order[0], body.initial, units)
    for name, joint in body.joints.items():
        lines += _joint(name, joint, units)
    return "\n".join([*lines, "</robot>", ""])


def _quoted(text: str) -> str:
    """An attribute's value. (xml.sax.saxutils has the same, and imports a web client with it.)"""
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return f'"{text}"'


def link_order(body: BodySpec) -> list[str]:
    """Links in the document's order, except that every parent stands before its children (Bullet's index order)."""
    parents = {j.child: j.parent for j in body.joints.values()}
    order: list[str] = []

    def place(name: str) -> None:
        parent = parents.get(name)
        if parent is not None and parent not in order:
            place(parent)
        if name not in order:
            order.append(name)

    for name in body.links:
        place(name)
    return order


def _numbers(values: Array | tuple[float, ...], unit: float = 1.0) -> str:
    return '"' + " ".join(repr(float(v) / unit) for v in values) + '"'


def _link(name: str, link: LinkSpec, armature: float, directory: Path, units: Units) -> Iterator[str]:
    yield f"<link name={_quoted(name)}>"
    # a fixed root has no mass; without this element Bullet would make it 1 kg and say so
    own = _NO_MASS if link.fixed else of_link(link)
    if armature:
        own = MassProperties(own.mass, own.com, own.inertia + armature * np.eye(3))
    yield from _inertial(own, units)
    main = [] if link.shape is None else [PartSpec.model_construct(
        shape=link.shape, at=link.at, rpy=link.rpy, mass=0.0, color=link.color, collide=link.collide)]  # fmt: skip
    for part in [*main, *link.parts]:
        if part.collide:
            yield "<collision>"
            yield from _shape(part, directory, units.length)
            yield "</collision>"
    yield "</link>"


def _inertial(body: MassProperties, units: Units) -> Iterator[str]:
    i = body.inertia / units.inertia
    yield "<inertial>"
    yield f'<origin xyz={_numbers(body.com, units.length)} rpy="0 0 0"/>'
    yield f'<mass value="{body.mass / units.mass!r}"/>'
    yield (
        f'<inertia ixx="{float(i[0, 0])!r}" iyy="{float(i[1, 1])!r}" izz="{float(i[2, 2])!r}"'
        f' ixy="{float(i[0, 1])!r}" ixz="{float(i[0, 2])!r}" iyz="{float(i[1, 2])!r}"/>'
    )
    yield "</inertial>"


def _shape(part: PartSpec, directory: Path, unit: float) -> Iterator[str]:
    text, along = _geometry(part.shape, directory, unit)
    turn = rotation(part.rpy) @ ALONG[along]
    yield f"<origin xyz={_numbers(part.at, unit)} rpy={_numbers(rpy_of(turn))}/>"
    yield f"<geometry>{text}</geometry>"


def _geometry(shape: ShapeSpec, directory: Path, unit: float) -> tuple[str, str]:
    match shape.solid:
        case Box(size=size):
            return f"<box size={_numbers(size, unit)}/>", "z"
        case Sphere(radius=r):
            return f'<sphere radius="{r / unit!r}"/>', "z"
        case Cylinder(length=h, radius=r, along=along):
            return f'<cylinder radius="{r / unit!r}" length="{h / unit!r}"/>', along
        case Capsule(length=h, radius=r, along=along):
            return f'<capsule radius="{r / unit!r}" length="{h / unit!r}"/>', along
        case Mesh(file=file, scale=s):
            path, scale = _quoted(str((directory / file).resolve())), _numbers((s, s, s), unit)
            return f"<mesh filename={path} scale={scale}/>", "z"


def _rail(root: str, initial: InitialSpec, units: Units) -> Iterator[str]:
    """From the rail to the root, which is turned as the document says: the axis, in its frame, is the world's z."""
    up = rotation(initial.rpy).T @ np.array([0.0, 0.0, 1.0])
    yield f'<joint name={_quoted(RAIL)} type="prismatic">'
    yield f"<origin xyz={_numbers(initial.at, units.length)} rpy={_numbers(initial.rpy)}/>"
    yield f"<parent link={_quoted(RAIL)}/>"
    yield f"<child link={_quoted(root)}/>"
    yield f"<axis xyz={_numbers(up)}/>"
    yield f'<limit lower="{-_FAR!r}" upper="{_FAR!r}" effort="0" velocity="0"/>'
    yield "</joint>"


def _joint(name: str, joint: JointSpec, units: Units) -> Iterator[str]:
    kind = _KIND[joint.kind]
    limits = joint.limits
    if joint.kind == "hinge" and limits is None:
        kind = "continuous"
    if joint.kind == "slider" and limits is None:
        limits = (-_FAR, _FAR)
    yield f'<joint name={_quoted(name)} type="{kind}">'
    yield f"<origin xyz={_numbers(joint.at, units.length)} rpy={_numbers(joint.rpy)}/>"
    yield f"<parent link={_quoted(joint.parent or '')}/>"
    yield f"<child link={_quoted(joint.child or '')}/>"
    yield f"<axis xyz={_numbers(joint.axis)}/>"
    if limits is not None:
        yield f'<limit lower="{limits[0]!r}" upper="{limits[1]!r}" effort="0" velocity="0"/>'
    yield "</joint>"
