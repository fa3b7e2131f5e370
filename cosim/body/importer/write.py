"""A model as a body document: YAML text in the units of its file, and meshes beside it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cosim.body.importer.hull import convex_hull, read_vertices, write_stl
from cosim.body.importer.model import FileJoint, FileLink, FileModel, FileShape
from cosim.body.importer.options import ImportOptions, matches
from cosim.body.inertia import rpy_of
from cosim.body.ports import Array


@dataclass(frozen=True)
class UnitNames:
    """How the document writes the file's units."""

    length: str
    mass: str

    @property
    def inertia(self) -> str:
        """Mass times length squared."""
        return f"{self.mass}*{self.length}^2"


def document(model: FileModel, options: ImportOptions, names: UnitNames, name: str, head: str) -> str:
    """The YAML text; `head` is put between the name and the links."""
    lines = ["cosim: body/1", f"name: {name}", head.rstrip(), "", "links:"]
    lines += [line for link in model.links.values() for line in _link(link, options, names)]
    lines += ["", "joints:" if model.joints else "joints: {}"]
    lines += [_joint(joint, options, names) for joint in model.joints.values()]
    sites = [(k, *v) for k, v in model.merged.items() if matches(k, options.sites)]
    if sites:
        lines += ["", "sites:", "  # frames of links that were merged into others"]
        unit = options.units.length
        lines += [f"  {k}: {{link: {into}, at: {_vector(frame.at, unit, names.length)}}}" for k, into, frame in sites]
    return "\n".join([*lines, ""])


def write_meshes(model: FileModel, options: ImportOptions, folder: Path) -> int:
    """Every mesh once, as a hull, in metres; returns their bytes. Raises UserError."""
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for shape in (s for link in model.links.values() for s in link.shapes if s.file is not None):
        assert shape.file is not None
        path = folder / f"{shape.owner}.stl"
        points, triangles = convex_hull(read_vertices(shape.file) * np.array(shape.size), options.faces)
        write_stl(path, points, triangles)
        total += path.stat().st_size
    return total


def number(value: float) -> str:
    """Seven digits, which is what such files carry; a tiny remainder of a turn is 0."""
    return f"{value:.7g}" if abs(value) > 1e-300 else "0"


def _vector(values: Array, unit: float, name: str) -> str:
    largest = float(np.abs(values).max(initial=0.0))
    kept = [0.0 if abs(v) < 1e-9 * largest else v / unit for v in values.tolist()]
    suffix = f" {name}" if name else ""
    return "[" + ", ".join(f"{number(v)}{suffix}" if v else "0" for v in kept) + "]"


def _link(link: FileLink, options: ImportOptions, names: UnitNames) -> Iterator[str]:
    units = options.units
    yield f"  {link.name}:"
    yield f"    mass: {number(link.mass / units.mass)} {names.mass}"
    if link.mass:
        yield f"    com: {_vector(link.com, units.length, names.length)}"
        i = link.inertia
        yield f"    inertia: {_vector(np.diag(i), units.inertia, names.inertia)}"
        products = np.array([i[0, 1], i[0, 2], i[1, 2]])
        if products.any():
            yield f"    products: {_vector(products, units.inertia, names.inertia)}"
    if link.shapes:
        yield "    parts:"
        yield from (f"      - {_shape(shape, options, names)}" for shape in link.shapes)


def _shape(shape: FileShape, options: ImportOptions, names: UnitNames) -> str:
    unit = options.units.length
    if shape.kind == "mesh":
        text = f"mesh: {{file: meshes/{shape.owner}.stl}}"
    elif shape.kind == "box":
        text = f"box: {{size: {_vector(np.array(shape.size), unit, names.length)}}}"
    elif shape.kind == "sphere":
        text = f"sphere: {{radius: {number(shape.size[0] / unit)} {names.length}}}"
    else:
        length, radius = (f"{number(v / unit)} {names.length}" for v in shape.size)
        text = f"{shape.kind}: {{length: {length}, radius: {radius}}}"
    rest = []
    if shape.frame.at.any():
        rest.append(f"at: {_vector(shape.frame.at, unit, names.length)}")
    rpy = rpy_of(shape.frame.turn)
    if np.abs(rpy).max() > 1e-12:
        rest.append(f"rpy: {_vector(rpy, 1.0, 'rad')}")
    color = next((c for pattern, c in options.colors.items() if matches(shape.owner, [pattern])), None)
    if color is not None:
        rest.append(f"color: {_vector(np.array(color), 1.0, '')}")
    if options.collide is not None and not matches(shape.owner, options.collide):
        rest.append("collide: false")
    return "{" + ", ".join([f"shape: {{{text}}}", *rest]) + "}"


def _joint(joint: FileJoint, options: ImportOptions, names: UnitNames) -> str:
    units = options.units
    items = [f"parent: {joint.parent}", f"child: {joint.child}"]
    if joint.kind != "hinge":
        items.insert(0, f"kind: {joint.kind}")
    if joint.kind != "fixed":
        items.append(f"axis: {_vector(joint.axis, 1.0, '')}")
    if joint.frame.at.any():
        items.append(f"at: {_vector(joint.frame.at, units.length, names.length)}")
    rpy = rpy_of(joint.frame.turn)
    if np.abs(rpy).max() > 1e-12:
        items.append(f"rpy: {_vector(rpy, 1.0, 'rad')}")
    if joint.limits is not None:
        unit, name = (1.0, "rad") if joint.kind == "hinge" else (units.length, names.length)
        items.append(f"limits: {_vector(np.array(joint.limits), unit, name)}")
    servo = options.servo
    if servo is not None and joint.kind == "hinge":
        items += [f"armature: {servo.armature}", f"servo: {{kp: {servo.kp}, kd: {servo.kd}}}"]
        if servo.max_torque is not None:
            items.append(f"max_torque: {servo.max_torque}")
    elif joint.kind == "hinge":
        items += [f"{k}: {number(v)} {u}" for k, v, u in (("damping", joint.damping, "N*m*s/rad"),
                                                          ("friction", joint.friction, "N*m")) if v]  # fmt: skip
    elif joint.kind == "slider":
        items += [f"{k}: {number(v)} {u}" for k, v, u in (("damping", joint.damping, "N*s/m"),
                                                          ("friction", joint.friction, "N")) if v]  # fmt: skip
    return f"  {joint.name}: {{{', '.join(items)}}}"


__all__ = ["UnitNames", "document", "number", "write_meshes"]
