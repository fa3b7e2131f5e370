"""The replayed legs beside measured points: do their segments point the same way?"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.body.algebra import rotations
from cosim.errors import UserError
from cosim.record.result import Result, Trace
from cosim.spec.replay import KeypointsSpec
from cosim.spec.units import suggest

F64 = NDArray[np.float64]
#: of a point, m
_UNIT = 1e-6


def read_points(path: Path) -> tuple[F64, tuple[str, ...], F64]:
    """Times (n,) in s, legs, and points (n, legs, points, 3) in m. Raises UserError."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            time, points, legs = archive["time"], archive["points"], tuple(map(str, archive["legs"]))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path}: expected an npz archive with time, legs and points: {error}") from None
    if points.ndim != 4 or points.shape[:2] != (len(time), len(legs)) or points.shape[3] != 3:
        raise UserError(f"{path}: points are {points.shape}, expected {len(time)} frames, {len(legs)} legs, points, 3")
    return time.astype(np.float64), legs, points.astype(np.float64) * _UNIT


def direction_errors(result: Result, spec: KeypointsSpec) -> dict[str, F64]:
    """Mean angle (segments,) in deg between each leg's segments and the measured ones, both seen from the trunk, over
    the frames that were recorded. Raises UserError for points that the body does not have."""
    time, legs, points = read_points(Path(spec.file))
    if points.shape[2] != len(spec.points):
        raise UserError(f"{spec.file} has {points.shape[2]} points a leg, `points` names {len(spec.points)}")
    links = result.trace("body/link_position")
    frames = time <= links.time[-1]
    # a reading stands at the end of its tick: the one at the frame's time
    rows = np.searchsorted(links.time, time[frames] - 1e-6 * links.dt).clip(max=len(links.time) - 1)
    turn = rotations(result.trace("body/link_orientation").values[rows, 0])
    places = _places(result, links, rows)
    found: dict[str, F64] = {}
    for k, leg in enumerate(legs):
        names = [name.replace("{leg}", leg) for name in spec.points]
        unknown = [name for name in names if name not in places]
        if unknown:
            raise UserError(f"replay.keypoints.points: no link or site '{unknown[0]}'{suggest(unknown[0], places)}")
        there = np.stack([places[name] for name in names], axis=1)
        ours = np.einsum("nji,nsj->nsi", turn, np.diff(there, axis=1))
        theirs = np.diff(points[frames][:, k], axis=1)
        cosine = (ours * theirs).sum(-1) / (np.linalg.norm(ours, axis=-1) * np.linalg.norm(theirs, axis=-1))
        found[leg] = np.asarray(np.degrees(np.arccos(np.clip(cosine, -1, 1))).mean(axis=0))
    return found


def _places(result: Result, links: Trace, rows: NDArray[np.intp]) -> dict[str, F64]:
    """Positions (n, 3) of links and sites by name at the rows."""
    found: dict[str, F64] = {}
    for trace in (links, result.trace("body/site_position") if "body/site_position" in result.series else None):
        if trace is not None:
            found |= {str(name): trace.values[rows, i] for i, name in enumerate(trace.labels[0])}
    return found
