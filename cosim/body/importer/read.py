"""URDF and SDF files, read as their specifications say and not as Bullet does (which changes inertias and limits)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np

from cosim.body.importer.model import HERE, FileJoint, FileLink, FileModel, FileShape, Frame
from cosim.body.inertia import rotation
from cosim.body.ports import Array
from cosim.body.units import Units
from cosim.errors import UserError

_KINDS = {"revolute": "hinge", "continuous": "hinge", "prismatic": "slider", "fixed": "fixed"}


def read_model(path: Path, units: Units, name: str | None = None) -> FileModel:
    """The model of a file whose lengths and masses are in `units`. Raises UserError.

    `name` picks one of several models in an SDF.
    """
    try:
        root = ElementTree.parse(path).getroot()
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror or error}") from None
    except ElementTree.ParseError as error:
        raise UserError(f"{path} is not XML: {error}") from None
    if root.tag == "robot":
        model = _Urdf(path, units).read(root)
    elif root.tag == "sdf":
        model = _Sdf(path, units).read(_pick(root, path, name), float(root.get("version", "1.6")))
    else:
        raise UserError(f"{path}: expected <robot> (URDF) or <sdf>, got <{root.tag}>")
    _check_tree(model, path)
    return model


def _pick(root: Element, path: Path, name: str | None) -> Element:
    models = list(root.iter("model"))
    if name is None and len(models) == 1:
        return models[0]
    names = [m.get("name", "") for m in models]
    if name not in names:
        wanted = "" if name is None else f" '{name}' is not one of them;"
        raise UserError(f"{path} holds {len(models)} models:{wanted} choose one with --model: {', '.join(names)}")
    return models[names.index(name)]


def _check_tree(model: FileModel, path: Path) -> None:
    children = [joint.child for joint in model.joints.values()]
    for joint in model.joints.values():
        for end in (joint.parent, joint.child):
            if end not in model.links:
                raise UserError(f"{path}: joint '{joint.name}' names link '{end}', which is not there")
    roots = [name for name in model.links if name not in children]
    if len(roots) != 1 or len(set(children)) != len(children):
        raise UserError(f"{path}: expected a tree with one root, got the roots {', '.join(roots) or 'none'}")


def numbers(text: str | None, count: int, default: float = 0.0) -> Array:
    """(count,) numbers of an XML text; `default` where there is none."""
    if text is None or not text.strip():
        return np.full(count, default)
    found = np.array([float(word) for word in text.split()])
    if len(found) == 1 and count > 1:
        found = np.full(count, found[0])
    if len(found) != count:
        raise UserError(f"expected {count} numbers, got '{text.strip()}'")
    return found


class _Reader:
    """What both formats share."""

    def __init__(self, path: Path, units: Units) -> None:
        self._path, self._units = path, units

    def _pose(self, at: Array, rpy: Array) -> Frame:
        r, p, y = rpy.tolist()
        return Frame(rotation((r, p, y)), at * self._units.length)

    def _mesh(self, uri: str) -> Path:
        file = Path(uri.removeprefix("file://").removeprefix("model://").removeprefix("package://"))
        found = file if file.is_absolute() else self._path.parent / file
        if not found.is_file():
            raise UserError(f"{self._path}: no mesh {found}")
        return found

    def _inertia(self, values: list[float]) -> Array:
        xx, yy, zz, xy, xz, yz = values
        return np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) * self._units.inertia

    def _joint_numbers(self, kind: str, damping: float, friction: float) -> tuple[float, float]:
        units = self._units
        per_speed, effort = (units.torque, units.torque) if kind == "hinge" else (units.mass, units.force)
        return damping * per_speed, friction * effort


class _Sdf(_Reader):
    """SDF: link poses in the model's frame, a joint's pose in its child's; our frame of a link is that of its joint."""

    def read(self, model: Element, version: float) -> FileModel:
        """The model."""
        poses = {e.get("name", ""): self._read_pose(e) for e in model.findall("link")}
        leads = {e.findtext("child", "").strip(): e for e in model.findall("joint")}
        # link frame to joint frame
        offsets = {name: self._read_pose(leads[name]) if name in leads else HERE for name in poses}
        links = {e.get("name", ""): self._link(e, offsets[e.get("name", "")].inverse) for e in model.findall("link")}
        joints = [self._joint(e, poses, offsets, version) for e in model.findall("joint")]
        return FileModel(model.get("name", "body"), links, {j.name: j for j in joints})

    def _read_pose(self, element: Element) -> Frame:
        found = element.find("pose")
        if found is not None and found.get("relative_to"):
            raise UserError(f"{self._path}: <pose relative_to> of '{element.get('name')}' is not supported")
        values = numbers(None if found is None else found.text, 6)
        return self._pose(values[:3], values[3:])

    def _link(self, element: Element, back: Frame) -> FileLink:
        name = element.get("name", "")
        inertial = element.find("inertial")
        mass, com, inertia, has = 0.0, np.zeros(3), np.zeros((3, 3)), False
        if inertial is not None:
            frame = back.of(self._read_pose(inertial))
            mass = float(inertial.findtext("mass", "0")) * self._units.mass
            found = inertial.find("inertia")
            has = found is not None
            if found is not None:
                own = self._inertia([float(found.findtext(k, "0")) for k in ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")])
                inertia = frame.turn @ own @ frame.turn.T
            com = frame.at
        shapes = [self._shape(e, back, name) for e in element.findall("collision")]
        return FileLink(name, mass, com, inertia, has, tuple(s for s in shapes if s is not None))

    def _shape(self, element: Element, back: Frame, owner: str) -> FileShape | None:
        geometry = element.find("geometry")
        if geometry is None or not len(geometry):
            return None
        kind, found, unit = geometry[0].tag, geometry[0], self._units.length
        frame = back.of(self._read_pose(element))
        size: tuple[float, ...]
        file: Path | None = None
        if kind == "mesh":
            size = tuple((numbers(found.findtext("scale"), 3, 1.0) * unit).tolist())
            file = self._mesh(found.findtext("uri", "").strip())
        elif kind == "box":
            size = tuple((numbers(found.findtext("size"), 3) * unit).tolist())
        elif kind == "sphere":
            size = (float(found.findtext("radius", "0")) * unit,)
        elif kind in ("cylinder", "capsule"):
            size = tuple(float(found.findtext(k, "0")) * unit for k in ("length", "radius"))
        else:
            raise UserError(f"{self._path}: the shape <{kind}> of link '{owner}' is not supported")
        return FileShape(kind, size, frame, owner, file)

    def _joint(
        self, element: Element, poses: dict[str, Frame], offsets: dict[str, Frame], version: float
    ) -> FileJoint:  # fmt: skip
        name, kind = element.get("name", ""), _kind(element, self._path)
        parent, child = (element.findtext(k, "").strip() for k in ("parent", "child"))
        if parent not in poses or child not in poses:
            return FileJoint(name, kind, parent, child, HERE, np.array([0.0, 0.0, 1.0]))  # told by _check_tree
        parent_frame, child_frame = (poses[k].of(offsets[k]) for k in (parent, child))
        axis = numbers(element.findtext("axis/xyz"), 3)
        in_model = element.findtext("axis/use_parent_model_frame", "").strip() in ("1", "true") or version < 1.5
        axis = child_frame.turn.T @ axis if in_model else axis
        damping, friction = (float(element.findtext(f"axis/dynamics/{k}", "0")) for k in ("damping", "friction"))
        damping, friction = self._joint_numbers(kind, damping, friction)
        limits = tuple(float(element.findtext(f"axis/limit/{k}", s)) for k, s in (("lower", "-inf"), ("upper", "inf")))
        unit = 1.0 if kind == "hinge" else self._units.length
        frame = parent_frame.inverse.of(child_frame)
        return FileJoint(
            name, kind, parent, child, frame, _unit(axis), _limits(kind, limits[0] * unit, limits[1] * unit),
            damping, friction,
        )  # fmt: skip


class _Urdf(_Reader):
    """URDF: a joint's origin is in its parent's frame, and is the child's frame."""

    def read(self, robot: Element) -> FileModel:
        """The model."""
        links = [self._link(e) for e in robot.findall("link")]
        joints = [self._joint(e) for e in robot.findall("joint")]
        return FileModel(robot.get("name", "body"), {k.name: k for k in links}, {j.name: j for j in joints})

    def _origin(self, element: Element) -> Frame:
        found = element.find("origin")
        at, rpy = (numbers(None if found is None else found.get(k), 3) for k in ("xyz", "rpy"))
        return self._pose(at, rpy)

    def _link(self, element: Element) -> FileLink:
        name = element.get("name", "")
        inertial = element.find("inertial")
        mass, com, inertia, has = 0.0, np.zeros(3), np.zeros((3, 3)), False
        if inertial is not None:
            frame = self._origin(inertial)
            weighed, found = inertial.find("mass"), inertial.find("inertia")
            mass = float(weighed.get("value", "0")) * self._units.mass if weighed is not None else 0.0
            has = found is not None
            if found is not None:
                own = self._inertia([float(found.get(k, "0")) for k in ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")])
                inertia = frame.turn @ own @ frame.turn.T
            com = frame.at
        shapes = [self._shape(e, name) for e in element.findall("collision")]
        return FileLink(name, mass, com, inertia, has, tuple(s for s in shapes if s is not None))

    def _shape(self, element: Element, owner: str) -> FileShape | None:
        geometry = element.find("geometry")
        if geometry is None or not len(geometry):
            return None
        kind, found, unit = geometry[0].tag, geometry[0], self._units.length
        size: tuple[float, ...]
        file: Path | None = None
        if kind == "mesh":
            size = tuple((numbers(found.get("scale"), 3, 1.0) * unit).tolist())
            file = self._mesh(found.get("filename", ""))
        elif kind == "box":
            size = tuple((numbers(found.get("size"), 3) * unit).tolist())
        elif kind == "sphere":
            size = (float(found.get("radius", "0")) * unit,)
        elif kind in ("cylinder", "capsule"):
            size = tuple(float(found.get(k, "0")) * unit for k in ("length", "radius"))
        else:
            raise UserError(f"{self._path}: the shape <{kind}> of link '{owner}' is not supported")
        return FileShape(kind, size, self._origin(element), owner, file)

    def _joint(self, element: Element) -> FileJoint:
        name, kind = element.get("name", ""), _kind(element, self._path)
        ends = [found.get("link", "") if (found := element.find(k)) is not None else "" for k in ("parent", "child")]
        axis, limit, dynamics = (element.find(k) for k in ("axis", "limit", "dynamics"))
        direction = np.array([1.0, 0.0, 0.0]) if axis is None else numbers(axis.get("xyz"), 3)
        damping, friction = (0.0 if dynamics is None else float(dynamics.get(k, "0")) for k in ("damping", "friction"))
        damping, friction = self._joint_numbers(kind, damping, friction)
        unit = 1.0 if kind == "hinge" else self._units.length
        limits = None
        if limit is not None and element.get("type") != "continuous":
            # a limit that is left out is 0 in URDF
            limits = _limits(kind, float(limit.get("lower", "0")) * unit, float(limit.get("upper", "0")) * unit)
        return FileJoint(
            name, kind, ends[0], ends[1], self._origin(element), _unit(direction), limits, damping, friction
        )  # fmt: skip


def _kind(element: Element, path: Path) -> str:
    kind = element.get("type", "")
    if kind not in _KINDS:
        known = ", ".join(_KINDS)
        raise UserError(f"{path}: joint '{element.get('name')}' is {kind or 'of no type'}, expected one of {known}")
    return _KINDS[kind]


def _unit(axis: Array) -> Array:
    size = float(np.linalg.norm(axis))
    return axis / size if size else np.array([0.0, 0.0, 1.0])


def _limits(kind: str, lower: float, upper: float) -> tuple[float, float] | None:
    if kind == "fixed" or not np.isfinite([lower, upper]).all() or lower > upper:
        return None
    return lower, upper


__all__ = ["numbers", "read_model"]
