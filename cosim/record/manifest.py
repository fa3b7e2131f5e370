"""The manifest of a result: what ran, how it ended, and the hashes that tell whether two runs are the same.

The recorder writes ``cosim`` (the format), ``status``, ``started``, ``ended``, ``ticks`` and ``hashes``.
Measurements, reports and films read these further entries, each of them optional:

``name``, ``title``, ``seed``
    of the experiment; ``overrides`` (path -> value) is what differs from its document.
``geometry``
    the body's own description: ``length`` (m), ``axis`` (links from head to tail), ``links`` with masses and shapes.
``axis``
    of the circuit: ``length`` (m) and ``segments``.
``transient`` (s), ``measure`` (kind -> options), ``perturb`` (name -> ``at`` in s)
    what to measure and from when on.
``reference``
    path of the reference values, unless the directory holds its own ``reference.csv``.
``metrics``, ``timings``, ``message``
    what came out, what it cost (s), and why the run failed.
"""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cosim.errors import UserError
from cosim.record.store import replace_json

MANIFEST = "manifest.json"
STORE = "data.zarr"
FORMAT = "result/1"

#: "running" in a manifest means that the process still runs or was killed: the result is incomplete
Status = Literal["running", "complete", "failed", "interrupted"]


def plain(value: Any) -> Any:
    """``value`` as JSON can hold it: numpy scalars and arrays to numbers and lists, paths to text, NaN and inf to
    null."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return str(value)


def is_result(path: Path) -> bool:
    """Whether a directory holds a cosim result (its manifest says so)."""
    try:
        return read_manifest(path).get("cosim") == FORMAT
    except UserError:
        return False


def read_manifest(path: Path) -> dict[str, Any]:
    """The manifest of the result directory ``path``; raises UserError if there is none that can be read."""
    file = path / MANIFEST
    if not path.exists():
        raise UserError(f"{path}: no such result directory")
    if not file.is_file():
        raise UserError(f"{path}: not a cosim result (it has no {MANIFEST})")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{file}: cannot be read as JSON: {error}") from error
    if not isinstance(content, dict):
        raise UserError(f"{file}: not a manifest: expected a JSON object")
    return content


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Replace the manifest of the result directory ``path`` atomically."""
    replace_json(path / MANIFEST, plain(content), indent=1)


def update_manifest(path: Path, **changes: Any) -> dict[str, Any]:
    """Set entries of an existing manifest, such as ``metrics``; returns the new manifest."""
    content = {**read_manifest(path), **plain(changes)}
    write_manifest(path, content)
    return content


def prepare_directory(path: Path, force: bool = False) -> Path:
    """Make ``path`` ready for a new result.

    An existing result is deleted when ``force`` is set. Raises UserError for a result without ``force``, and in any
    case for a directory with other content, for a file, and for a place where nothing can be written.
    """
    try:
        if path.is_dir() and any(path.iterdir()):
            if not is_result(path):
                raise UserError(f"{path}: the directory is not empty and is no cosim result; it is left alone")
            if not force:
                raise UserError(
                    f"{path}: holds a result already; choose another directory or overwrite it with --force"
                )
            shutil.rmtree(path)
        elif path.exists() and not path.is_dir():
            raise UserError(f"{path}: is a file, a directory is needed")
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be used for a result: {error.strerror or error}") from error
    return path
