"""Where the tables of data sets lie on this machine, and what was made of them, kept for the next run.

``$COSIM_DATA/NAME/`` (default: ``~/.local/share/cosim/connectomes/NAME/``) holds what was downloaded and, under
``.prepared/``, the edges of large data sets as arrays sorted by target, which every process maps instead of reading
them: a process touches the rows of its own targets only.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cosim import zoo
from cosim.connectome.columns import Column, Numbers, Texts
from cosim.connectome.data import Connectome
from cosim.connectome.prepare import prepare
from cosim.errors import UserError
from cosim.spec.connectome import ConnectomeSpec
from cosim.spec.load import Document, load_document

#: what a prepared folder holds may change with this number
_FORMAT = 1
#: fewer edges than this are read anew by every process: it takes milliseconds
_WORTH_KEEPING = 100_000


def data_folder(name: str) -> Path:
    """Where the files of a data set are put."""
    root = os.environ.get("COSIM_DATA")
    if root:
        return Path(root).expanduser() / name
    home = os.environ.get("XDG_DATA_HOME")
    base = Path(home) if home else Path.home() / ".local/share"
    return base / "cosim" / "connectomes" / name


def describe(name: str | Path, document: Path | None = None) -> Document:
    """The descriptor of a data set by name or path; `document` is the file that names it. Raises UserError."""
    path = name if isinstance(name, Path) else zoo.find("connectome", name, document=document)
    return load_document(path, "connectome")


def files_of(document: Document) -> dict[str, Path | None]:
    """Every file of a data set: beside its descriptor, else in the data folder; None where it is not there."""
    spec = _spec(document)
    places = (document.folder, data_folder(spec.name))
    return {name: next((p / name for p in places if (p / name).is_file()), None) for name in spec.files}


def load_connectome(name: str | Path, document: Path | None = None) -> Connectome:
    """A data set, read and checked, by name or by the path of its descriptor.

    Raises UserError for a name that is not there, data that are not on this machine, and tables that cannot be used.
    """
    found = describe(name, document)
    paths = files_of(found)
    absent = [file for file, path in paths.items() if path is None]
    if absent:
        wanted = _spec(found).name
        raise UserError(
            f"the data of {wanted} are not on this machine ({', '.join(absent)}): get them with 'cosim fetch {wanted}'"
        )
    there = {file: path for file, path in paths.items() if path is not None}
    return _load(found, there, _key(found, there))


def _spec(document: Document) -> ConnectomeSpec:
    assert isinstance(document.spec, ConnectomeSpec)
    return document.spec


def _key(document: Document, paths: Mapping[str, Path]) -> str:
    stats = {name: (path.stat().st_size, path.stat().st_mtime_ns) for name, path in paths.items()}
    return hashlib.sha256(json.dumps([_FORMAT, document.tree, stats]).encode()).hexdigest()


_LOADED: dict[str, Connectome] = {}


def _load(document: Document, paths: Mapping[str, Path], key: str) -> Connectome:
    """From memory, from the prepared arrays, or from the tables."""
    if key not in _LOADED:
        folder = data_folder(_spec(document).name) / ".prepared" / key[:20]
        connectome = _opened(_spec(document), key, folder)
        if connectome is None:
            connectome = prepare(document, paths, key)
            if len(connectome) >= _WORTH_KEEPING and save(connectome, folder):
                connectome = _opened(connectome.spec, key, folder) or connectome
        _LOADED[key] = connectome
    return _LOADED[key]


def save(connectome: Connectome, folder: Path) -> bool:
    """Write the arrays of a connectome, all or nothing; False where nothing can be written there."""
    arrays: dict[str, Any] = {"ids": connectome.ids, "indptr": connectome.indptr, "pre": connectome.pre}
    head: dict[str, Any] = {"key": connectome.key}
    for group in ("nodes", "edges"):
        columns: Mapping[str, Column] = getattr(connectome, group)
        head[group] = {}
        for name, column in columns.items():
            arrays[f"{group}.{name}"] = column.values if isinstance(column, Numbers) else column.codes
            head[group][name] = (
                {"dim": column.dim} if isinstance(column, Numbers) else {"words": column.words}
            )  # fmt: skip
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix="new.", dir=folder.parent))
    except OSError:
        return False
    try:
        for name, array in arrays.items():
            np.save(new / f"{name}.npy", array, allow_pickle=False)
        (new / "head.json").write_text(json.dumps(head), encoding="utf-8")
        # another process may have been quicker: what it made is the same
        with contextlib.suppress(OSError):
            new.rename(folder)
        return folder.is_dir()
    except OSError:
        return False
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _opened(spec: ConnectomeSpec, key: str, folder: Path) -> Connectome | None:
    """What `save` wrote, its edges mapped and not read; None where it is not there."""
    try:
        head = json.loads((folder / "head.json").read_text(encoding="utf-8"))
        if head["key"] != key:
            return None

        def array(name: str, mapped: bool = False) -> Any:
            return np.load(folder / f"{name}.npy", mmap_mode="r" if mapped else None, allow_pickle=False)

        def columns(group: str) -> dict[str, Column]:
            found: dict[str, Column] = {}
            for name, kind in head[group].items():
                values = array(f"{group}.{name}", group == "edges")
                words = kind.get("words")
                found[name] = Texts(values, tuple(words)) if words is not None else Numbers(values, tuple(kind["dim"]))
            return found

        edges = columns("edges")
        return Connectome(spec, key, array("ids"), columns("nodes"), array("indptr"), array("pre", True), edges)
    except (OSError, ValueError, KeyError):
        return None


@lru_cache(maxsize=64)
def file_hash(path: Path, size: int, changed: int) -> str:
    """SHA-256 of a file; `size` and `changed` (its time, ns) tell whether it is still the same."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
