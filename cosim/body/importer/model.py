"""What a URDF or SDF file says, as numbers in SI; and making some of its joints rigid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cosim.body.ports import Array


@dataclass(frozen=True)
class Frame:
    """Where a frame stands in another: rotation (3, 3) and origin (3,)."""

    turn: Array
    at: Array

    def of(self, inner: Frame) -> Frame:
        """`inner`, given in this frame, in the frame that this one is given in."""
        return Frame(self.turn @ inner.turn, self.at + self.turn @ inner.at)

    @property
    def inverse(self) -> Frame:
        """The frame that undoes this one."""
        return Frame(self.turn.T, -self.turn.T @ self.at)


HERE = Frame(np.eye(3), np.zeros(3))


@dataclass(frozen=True)
class FileShape:
    """A shape on a link: `kind` box, sphere, cylinder, capsule (along z) or mesh; `size` as the document writes it.

    `owner` is the link of the file that it belongs to. A mesh has a `file` and a scale per axis, to metres.
    """

    kind: str
    size: tuple[float, ...]
    frame: Frame
    owner: str
    file: Path | None = None


@dataclass(frozen=True)
class FileLink:
    """`mass` kg, `com` (3,) and `inertia` (3, 3) about it along the link's axes; `has_inertia` False: none is given."""

    name: str
    mass: float
    com: Array
    inertia: Array
    has_inertia: bool
    shapes: tuple[FileShape, ...] = ()


@dataclass(frozen=True)
class FileJoint:
    """`kind` hinge, slider or fixed; `frame` of the child in the parent at 0; `axis` in the child's frame."""

    name: str
    kind: str
    parent: str
    child: str
    frame: Frame
    axis: Array
    limits: tuple[float, float] | None = None
    damping: float = 0.0
    friction: float = 0.0


@dataclass
class FileModel:
    """Links and joints by name; `root` is no joint's child."""

    name: str
    links: dict[str, FileLink]
    joints: dict[str, FileJoint]
    #: frames of links that were merged into others: link and frame in it
    merged: dict[str, tuple[str, Frame]] = field(default_factory=dict)

    @property
    def root(self) -> str:
        """The link that nothing leads to."""
        children = {joint.child for joint in self.joints.values()}
        return next(name for name in self.links if name not in children)

    def freeze(self, angles: Mapping[str, float]) -> None:
        """Make joints rigid at these angles (rad, or m)."""
        for name, value in angles.items():
            joint = self.joints[name]
            if joint.kind == "hinge":
                moved = Frame(about(joint.axis, value), np.zeros(3))
            else:
                moved = Frame(np.eye(3), value * joint.axis)
            self.joints[name] = replace(joint, kind="fixed", frame=joint.frame.of(moved), limits=None)

    def merge(self) -> None:
        """Take every link behind a rigid joint into its parent, exactly: mass, inertia, shapes, what hangs on it."""
        for joint in [j for j in self.joints.values() if j.kind == "fixed"]:
            frame, into = self.joints[joint.name].frame, self.joints[joint.name].parent
            child = self.links.pop(joint.child)
            del self.joints[joint.name]
            self.links[into] = _union(self.links[into], child, frame)
            for name, other in self.joints.items():
                if other.parent == joint.child:
                    self.joints[name] = replace(other, parent=into, frame=frame.of(other.frame))
            for name, (owner, inner) in self.merged.items():
                if owner == joint.child:
                    self.merged[name] = into, frame.of(inner)
            self.merged[joint.child] = into, frame


def about(axis: Array, angle: float) -> Array:
    """Rotation matrix (3, 3) by `angle` about the unit vector `axis` (Rodrigues)."""
    x, y, z = axis
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew)


def _union(one: FileLink, other: FileLink, frame: Frame) -> FileLink:
    """Both as one rigid body in the frame of the first (parallel-axis theorem)."""
    centre = frame.at + frame.turn @ other.com
    turned = frame.turn @ other.inertia @ frame.turn.T
    mass = one.mass + other.mass
    com = (one.mass * one.com + other.mass * centre) / mass if mass else one.com
    inertia = np.zeros((3, 3))
    for m, c, own in ((one.mass, one.com, one.inertia), (other.mass, centre, turned)):
        r = c - com
        inertia = inertia + own + m * (r @ r * np.eye(3) - np.outer(r, r))
    shapes = tuple(replace(shape, frame=frame.of(shape.frame)) for shape in other.shapes)
    return FileLink(
        one.name, mass, com, inertia, one.has_inertia and other.has_inertia, (*one.shapes, *shapes)
    )  # fmt: skip


__all__ = ["HERE", "FileJoint", "FileLink", "FileModel", "FileShape", "Frame", "about"]
