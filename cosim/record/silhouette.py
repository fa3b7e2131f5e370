"""A recorded body as outlines in a plane: discs, thick lines and polygons for every moment, computed at once by
numpy."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cosim.errors import UserError
from cosim.record.result import Result

Array = npt.NDArray[np.float64]

#: thickness of a link whose shape is not known or a mesh, in body lengths
_THICKNESS = 0.05


@dataclass(frozen=True)
class Outline:
    """One shape over time. ``points`` (n, k, 3) in m: k = 1 a disc, 2 a line with round ends, more: their convex hull.

    ``radius`` in m (of the disc, half the width of the line); ``color`` red, green, blue within [0, 1].
    """

    points: Array
    radius: float
    color: tuple[float, float, float]


def rotate(quaternion: npt.ArrayLike, vector: npt.ArrayLike) -> Array:
    """Rotate vectors (..., 3) by unit quaternions (..., 4), x, y, z, w."""
    q, v = np.asarray(quaternion, dtype=np.float64), np.asarray(vector, dtype=np.float64)
    axis, w = q[..., :3], q[..., 3:]
    twice = 2.0 * np.cross(axis, v)
    return np.asarray(v + w * twice + np.cross(axis, twice), dtype=np.float64)


def outlines(result: Result, times: Array) -> list[Outline]:
    """The shapes of the body at the sample nearest to each of ``times`` (s).

    From link_position and link_orientation and the geometry in the manifest; without orientations or geometry the links
    become a line from one origin to the next. UserError where no positions were recorded.
    """
    trace = result.trace("body/link_position")
    if not len(trace.time):
        raise UserError(f"{result.path}: no moment of the body was recorded")
    index = np.clip(np.round((times - trace.time[0]) / trace.dt if len(trace.time) > 1 else 0 * times), 0, None)
    index = np.minimum(index.astype(np.int64), len(trace.time) - 1)
    positions = trace.values[index].astype(np.float64)
    names = [str(label) for label in trace.labels[0]]
    geometry: dict[str, Any] = result.manifest.get("geometry") or {}
    turns = None
    if "body/link_orientation" in result.series:
        turns = result.trace("body/link_orientation").values[index].astype(np.float64)
    shapes = {link["name"]: link.get("shapes") or [] for link in geometry.get("links") or ()}
    found: list[Outline] = []
    bare: list[str] = []
    for i, name in enumerate(names):
        drawn = [] if turns is None else [_place(s, positions[:, i], turns[:, i]) for s in shapes.get(name, ())]
        known = [one for one in drawn if one is not None]
        found.extend(known)
        if not known:
            bare.append(name)
    axis = [name for name in geometry.get("axis") or names if name in names]
    size = float(geometry.get("length") or 0) or float(np.ptp(positions[0], axis=0).max()) or 1.0
    for a, b in itertools.pairwise(axis):
        if a in bare or b in bare:
            pair = positions[:, [names.index(a), names.index(b)]]
            # beneath the shapes that are known
            found.insert(0, Outline(pair, 0.5 * _THICKNESS * size, (0.45, 0.55, 0.45)))
    if not found:
        found = [
            Outline(positions[:, i : i + 1], 0.5 * _THICKNESS * size, (0.45, 0.55, 0.45)) for i in range(len(names))
        ]
    return found


def _place(shape: dict[str, Any], position: Array, turn: Array) -> Outline | None:
    """The outline of a shape on a link with these positions (n, 3) and orientations (n, 4); None for a mesh."""
    size = [float(x) for x in shape["size"]]
    own = np.asarray(shape.get("quaternion") or (0, 0, 0, 1), dtype=np.float64)
    red, green, blue = shape.get("color") or (0.6, 0.6, 0.6)
    match shape["kind"]:
        case "sphere":
            corners, radius = np.zeros((1, 3)), size[0]
        case "capsule":
            corners, radius = np.array([[0, 0, -0.5], [0, 0, 0.5]]) * size[0], size[1]
        case "cylinder":
            ring = np.linspace(0, 2 * np.pi, 12, endpoint=False)
            edge = np.stack([size[1] * np.cos(ring), size[1] * np.sin(ring), 0 * ring], axis=1)
            corners, radius = np.concatenate([edge + [0, 0, 0.5 * size[0]], edge - [0, 0, 0.5 * size[0]]]), 0.0
        case "box":
            signs = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
            corners, radius = signs * size, 0.0
        case _:
            return None
    local = rotate(own, corners) + np.asarray(shape.get("at") or (0, 0, 0), dtype=np.float64)
    return Outline(
        position[:, None] + rotate(turn[:, None], local[None]), radius, (float(red), float(green), float(blue))
    )


def plane(found: list[Outline]) -> tuple[int, int]:
    """The two axes to look at: from above (x, y), or from the side if the body moves in a vertical plane.

    The axis along which the shapes move least is left out; in doubt the vertical.
    """
    ranges = np.max([np.ptp(one.points.mean(axis=1), axis=0) for one in found], axis=0)
    least = 2 if ranges[2] <= 1.001 * ranges.min() else int(np.argmin(ranges))
    first, second = [axis for axis in range(3) if axis != least]
    return first, second


def hull(points: Array) -> list[tuple[float, float]]:
    """Convex hull of points (k, 2), counter-clockwise (Andrew's monotone chain)."""
    ordered = sorted({(float(x), float(y)) for x, y in points})
    if len(ordered) < 3:
        return ordered

    def half(sequence: list[tuple[float, float]]) -> list[tuple[float, float]]:
        chain: list[tuple[float, float]] = []
        for c in sequence:
            while len(chain) > 1:
                a, b = chain[-2], chain[-1]
                if (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]) > 0:
                    break
                chain.pop()
            chain.append(c)
        return chain[:-1]

    return half(ordered) + half(ordered[::-1])
