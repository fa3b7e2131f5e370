"""From a kinematics document to joint angles over time; every mistake in file and mapping is found here."""

from __future__ import annotations

import itertools
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosim.bridge.inputs import read_columns
from cosim.errors import Problem, UserError
from cosim.replay.rotations import reorder
from cosim.replay.smooth import savitzky_golay
from cosim.spec.kinematics import JointSource, KinematicsSpec
from cosim.spec.load import Document, load_document
from cosim.spec.units import Dim, suggest

F64 = NDArray[np.float64]
TIME: Dim = (0, 0, 1, 0, 0, 0, 0)
PLAIN: Dim = (0, 0, 0, 0, 0, 0, 0)


@dataclass(frozen=True)
class Kinematics:
    """Angles (n, joints) in rad of named joints at rising times (n,) in s."""

    name: str
    joints: tuple[str, ...]
    time: F64
    angles: F64

    def at(self, time: F64 | float) -> F64:
        """Angles at one or several times, linear between samples, constant before and after them."""
        t = np.atleast_1d(np.asarray(time, dtype=np.float64))
        right = np.clip(np.searchsorted(self.time, t, "right"), 1, len(self.time) - 1)
        left = self.time[right - 1]
        f = np.clip((t - left) / (self.time[right] - left), 0.0, 1.0)[:, None]
        found = self.angles[right - 1] * (1.0 - f) + self.angles[right] * f
        return np.asarray(found[0] if np.ndim(time) == 0 else found)


def read_kinematics(path: Path, joints: Sequence[str] | None = None, wanted: Sequence[str] | None = None) -> Kinematics:
    """Read and map a kinematics document for a body.

    Parameters
    ----------
    joints: the joints that the body has; None: whichever the mapping names.
    wanted: those for which angles must be there (default: those of the mapping).

    Raises UserError with file and line for an unknown joint or column, a missing joint, a wrong number of columns.
    """
    document = load_document(path, "kinematics")
    spec = document.spec
    assert isinstance(spec, KinematicsSpec)
    columns, time, values = _read(document, spec)
    sources = spec.joints if spec.joints != "same" else {name: JointSource(column=name) for name in columns}
    key = ("joints",) if spec.joints != "same" else ("file",)
    problems: list[Problem] = []

    def complain(path: tuple[str | int, ...], message: str) -> None:
        problems.append(document.problem(path, message, key=True))

    for joint, source in sources.items():
        here = (*key, joint) if spec.joints != "same" else key
        if joints is not None and joint not in joints:
            what = f"the column '{joint}' of {spec.file} is" if spec.joints == "same" else f"'{joint}' is"
            complain(here, f"{what} no joint of the body{suggest(joint, joints)}")
        if source.column not in columns:
            complain(here, f"no column '{source.column}' in {spec.file}{suggest(source.column, columns)}")
    for i, rotation in enumerate(spec.rotations):
        for j, joint in enumerate(rotation.joints):
            if joint not in sources:
                complain(("rotations", i, "joints", j), f"'{joint}' is not mapped{suggest(joint, sources)}")
    missing = [joint for joint in wanted or () if joint not in sources]
    if missing:
        more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
        complain(key, f"no column is mapped to the joint '{missing[0]}'{more}{suggest(missing[0], columns)}")
    if spec.smooth is not None and spec.smooth.window > len(time):
        complain(("smooth", "window"), f"the window is longer than the {len(time)} samples of {spec.file}")
    if problems:
        raise UserError(problems)
    angles = {
        joint: source.sign * values[:, columns.index(source.column)] + source.offset
        for joint, source in sources.items()
    }
    for rotation in spec.rotations:
        three = reorder(np.stack([angles[joint] for joint in rotation.joints], axis=1), rotation.axes, rotation.to)
        angles.update(zip(rotation.joints, three.T, strict=True))
    chosen = tuple(wanted or sources)
    found = np.stack([angles[joint] for joint in chosen], axis=1)
    if spec.smooth is not None:
        found = savitzky_golay(found, spec.smooth.window, spec.smooth.order)
    return Kinematics(spec.name, chosen, time, found)


def _read(document: Document, spec: KinematicsSpec) -> tuple[list[str], F64, F64]:
    """Names of the columns, times (n,) and angles (n, columns) in SI units."""
    path = document.folder / spec.file
    if spec.file.endswith(".npz"):
        columns, values = _archive(document, spec, path)
        values = values * spec.unit
    else:
        columns, values = _csv(document, spec, path)
    problem = ""
    if spec.rate is not None:
        time = np.arange(len(values)) / spec.rate
    else:
        time, values, columns = values[:, 0], values[:, 1:], columns[1:]
    if len(time) < 2 or (np.diff(time) <= 0).any():
        problem = f"{spec.file} needs at least two rows, and times that rise"
    elif not np.isfinite(values).all():
        row, column = np.argwhere(~np.isfinite(values))[0]
        problem = f"{spec.file}: '{columns[column]}' in row {row + 1} is not a number"
    elif len(set(columns)) < len(columns):
        twice = next(name for name in columns if columns.count(name) > 1)
        problem = f"{spec.file} has the column '{twice}' twice"
    if problem:
        raise UserError(document.problem(("file",), problem))
    return columns, time, values


def _csv(document: Document, spec: KinematicsSpec, path: Path) -> tuple[list[str], F64]:
    columns, dims, data = read_columns(path)
    first = 0
    if spec.rate is None:
        if columns[0] != "time" or dims[0] != TIME:
            message = f"{spec.file} must begin with a column 'time [s]' (or another unit of time), or say its `rate`"
            raise UserError(document.problem(("file",), message))
        first = 1
    wrong = [name for name, dim in zip(columns[first:], dims[first:], strict=True) if dim != PLAIN]
    if wrong:
        raise UserError(document.problem(("file",), f"column '{wrong[0]}' of {spec.file}: expected an angle"))
    with path.open(encoding="utf-8") as file:
        header = next(line for line in file if line.strip() and not line.startswith("#"))
    # an angle's own unit (deg) is no dimension: what has none in the header is in units of `unit`
    bare = np.array(["[" not in cell for cell in header.split(",")])
    bare[:first] = False
    return columns, data * np.where(bare, spec.unit, 1.0)


def _archive(document: Document, spec: KinematicsSpec, path: Path) -> tuple[list[str], F64]:
    assert spec.values is not None and spec.columns is not None
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in (spec.values, *spec.columns) if name in archive.files}
            known = list(archive.files)
    except FileNotFoundError:
        raise UserError(document.problem(("file",), f"{path}: no such file")) from None
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise UserError(document.problem(("file",), f"{spec.file} cannot be read: {error}")) from None
    wanted = [(("values",), spec.values), *((("columns", i), name) for i, name in enumerate(spec.columns))]
    problems = [
        document.problem(at, f"no array '{name}' in {spec.file}{suggest(name, known)}")
        for at, name in wanted
        if name not in arrays
    ]
    if problems:
        raise UserError(problems)
    values, names = arrays[spec.values], [[str(one) for one in arrays[name]] for name in spec.columns]
    shape = tuple(len(one) for one in names)
    if values.shape[1:] != shape:
        have, need = " x ".join(map(str, values.shape[1:])) or "no", " x ".join(map(str, shape))
        message = f"'{spec.values}' of {spec.file} has {have} columns, but {' and '.join(spec.columns)} name {need}"
        raise UserError(document.problem(("columns",), message))
    return [".".join(parts) for parts in itertools.product(*names)], values.reshape(len(values), -1).astype(np.float64)
