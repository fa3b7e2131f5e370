"""Meshes as convex hulls of few faces: what Bullet collides anyway, small enough to travel with a document."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.body.ports import Array
from cosim.errors import UserError

_FACE = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])


def read_vertices(path: Path) -> Array:
    """Vertices (n, 3) of an STL (binary or text) or OBJ file, in its units. Raises UserError."""
    data = path.read_bytes()
    try:
        if path.suffix.lower() == ".obj":
            rows = [line.split()[1:4] for line in data.decode().splitlines() if line.startswith("v ")]
            found = np.array(rows, dtype=np.float64)
        elif len(data) >= 84 and len(data) == 84 + _FACE.itemsize * struct.unpack_from("<I", data, 80)[0]:
            found = np.frombuffer(data, dtype=_FACE, offset=84)["corners"].reshape(-1, 3).astype(np.float64)
        elif path.suffix.lower() == ".stl":
            rows = [line.split()[1:4] for line in data.decode().splitlines() if line.split()[:1] == ["vertex"]]
            found = np.array(rows, dtype=np.float64)
        else:
            raise UserError(f"{path}: expected an STL or OBJ file")
    except (UnicodeDecodeError, ValueError) as error:
        raise UserError(f"{path} is no mesh: {error}") from None
    if found.ndim != 2 or len(found) < 4:
        raise UserError(f"{path}: a mesh needs at least 4 vertices")
    return np.unique(found, axis=0)


def convex_hull(vertices: Array, faces: int) -> tuple[Array, NDArray[np.int64]]:
    """Vertices (k, 3) and triangles (m, 3), counted against the clock from outside, of a convex hull with at most
    `faces` triangles. Where the hull has more, it is that of the points that lie farthest in evenly spread directions.

    Raises UserError where scipy is missing or the vertices are in one plane.
    """
    try:
        from scipy.spatial import ConvexHull, QhullError
    except ImportError:
        raise UserError("reducing meshes needs scipy: pip install 'cosim-neuro[import]'") from None
    try:
        hull = ConvexHull(vertices)
        if len(hull.simplices) > faces:
            spread = _directions(faces // 2 + 2)
            points = vertices[hull.vertices]
            # in the body's own proportions, so that a long leg does not lose its ends
            centred = (points - points.mean(axis=0)) / np.ptp(points, axis=0)
            hull = ConvexHull(points[np.unique((centred @ spread.T).argmax(axis=0))])
    except QhullError as error:
        raise UserError(f"no convex hull: {str(error).splitlines()[0]}") from None
    points = hull.points[hull.vertices]
    number = {old: new for new, old in enumerate(hull.vertices.tolist())}
    triangles = np.array([[number[i] for i in row] for row in hull.simplices.tolist()], dtype=np.int64)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    inward = (np.cross(b - a, c - a) * hull.equations[:, :3]).sum(axis=1) < 0
    triangles[inward] = triangles[inward][:, ::-1]
    return points, triangles


def _directions(n: int) -> Array:
    """(n, 3) unit vectors, nearly evenly spread (Fibonacci lattice)."""
    k = np.arange(n) + 0.5
    z, angle = 1 - 2 * k / n, np.pi * (1 + 5**0.5) * k
    r = np.sqrt(1 - z * z)
    return np.stack([r * np.cos(angle), r * np.sin(angle), z], axis=1)


def write_stl(path: Path, points: Array, triangles: NDArray[np.int64]) -> None:
    """A binary STL file."""
    table = np.zeros(len(triangles), dtype=_FACE)
    table["corners"] = points[triangles]
    a, b, c = (points[triangles[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    table["normal"] = normal / np.linalg.norm(normal, axis=1, keepdims=True)
    path.write_bytes(b"convex hull".ljust(80) + struct.pack("<I", len(table)) + table.tobytes())


__all__ = ["convex_hull", "read_vertices", "write_stl"]
