"""Where the tables of data sets lie on this machine, and what was made of them, kept for the next run.

``$COSIM_DATA/NAME/`` (default: ``~/.local/share/cosim/connectomes/NAME/``) holds what was downloaded and, under
``.prepared/``, the edges of large data sets as arrays sorted by target, which every process maps instead of reading
them: a process touches the rows of its own targets only.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cosim import zoo
from cosim.connectome.columns import Column, Numbers, Texts
from cosim.connectome.data import Connectome
from cosim.connectome.prepare import prepare
from cosim.errors import Problem, UserError
from cosim.spec.connectome import ConnectomeSpec, FileSpec
from cosim.spec.load import Document, load_document, shown
from cosim.zoo.data import data_folder, find_file

#: what a prepared folder holds may change with this number
_FORMAT = 2
PREPARED = ".prepared"
#: fewer edges than this are read anew by every process: it takes milliseconds
_WORTH_KEEPING = 100_000
#: files of fewer bytes cannot hold that many
_WORTH_WAITING = 1_000_000


def describe(name: str | Path, document: Path | None = None) -> Document:
    """The descriptor of a data set by name or path; `document` is the file that names it. Raises UserError."""
    path = name if isinstance(name, Path) else zoo.find("connectome", name, document=document)
    return load_document(path, "connectome")


def files_of(document: Document) -> dict[str, Path | None]:
    """Every file of a data set: beside its descriptor, else in the data folder; None where it is not there."""
    spec = spec_of(document)
    return {name: find_file(document.path, spec.name, name) for name in spec.files}


def absent(document: Document) -> list[str]:
    """The files that are needed and not on this machine."""
    files = spec_of(document).files
    return [name for name, path in files_of(document).items() if path is None and not files[name].optional]


def load_connectome(name: str | Path, document: Path | None = None) -> Connectome:
    """A data set, read and checked, by name or by the path of its descriptor.

    Raises UserError for a name that is not there, data that are not on this machine, and tables that cannot be used.
    """
    found = describe(name, document)
    missing = absent(found)
    if missing:
        wanted = spec_of(found).name
        raise UserError(
            f"the data of {wanted} are not on this machine ({', '.join(missing)}): get them with 'cosim fetch {wanted}'"
        )
    there = {file: Path(shown(path)) for file, path in files_of(found).items() if path is not None}
    return _load(found, there, _key(found, there))


def spec_of(document: Document) -> ConnectomeSpec:
    """The descriptor itself."""
    assert isinstance(document.spec, ConnectomeSpec)
    return document.spec


def _key(document: Document, paths: Mapping[str, Path]) -> str:
    stats = {name: (path.stat().st_size, path.stat().st_mtime_ns) for name, path in paths.items()}
    return hashlib.sha256(json.dumps([_FORMAT, document.tree, stats]).encode()).hexdigest()


_LOADED: dict[str, Connectome] = {}


def _load(document: Document, paths: Mapping[str, Path], key: str) -> Connectome:
    """From memory, from the prepared arrays, or from the tables."""
    if key not in _LOADED:
        folder = data_folder(spec_of(document).name) / PREPARED / key[:20]
        connectome = _opened(spec_of(document), key, folder)
        _LOADED[key] = connectome if connectome is not None else _made(document, paths, key, folder)
    return _LOADED[key]


def _made(document: Document, paths: Mapping[str, Path], key: str, folder: Path) -> Connectome:
    """From the tables; large ones are kept. Of several processes one does it, the others find what it made."""
    large = sum(path.stat().st_size for path in paths.values()) >= _WORTH_WAITING
    with _alone(folder.parent) if large else contextlib.nullcontext():
        found = _opened(spec_of(document), key, folder)
        if found is not None:
            return found
        problems = [damage(path, spec_of(document).files[name]) for name, path in paths.items()]
        if any(problems):
            raise UserError([Problem("", 0, 0, "", text) for text in problems if text])
        connectome = prepare(document, paths, key, {name: file_hash(path) for name, path in paths.items()})
        if len(connectome) < _WORTH_KEEPING:
            return connectome
        shutil.rmtree(folder, ignore_errors=True)  # damaged, if it is there at all
        return (_opened(connectome.spec, key, folder) if save(connectome, folder) else None) or connectome


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Wait until no other process is in here; where locks cannot be had, go on without."""
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((folder / "lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def save(connectome: Connectome, folder: Path) -> bool:
    """Write the arrays of a connectome, all or nothing; False where nothing can be written there."""
    arrays: dict[str, Any] = {"ids": connectome.ids, "indptr": connectome.indptr, "pre": connectome.pre}
    head: dict[str, Any] = {"key": connectome.key, "hashes": dict(connectome.hashes)}
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
        nodes, indptr, pre = columns("nodes"), array("indptr"), array("pre", True)
        return Connectome(spec, key, head["hashes"], array("ids"), nodes, indptr, pre, edges)
    except (OSError, ValueError, KeyError):
        return None


def file_hash(path: Path) -> str:
    """SHA-256 of a file; not computed again as long as its size and time are the same."""
    stat = path.stat()
    return _hash(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _hash(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def damage(path: Path, wanted: FileSpec, name: str = "") -> str | None:
    """What is wrong with a file, by its size and SHA-256, as far as the descriptor tells them."""
    size = path.stat().st_size
    shown = name or path
    if wanted.bytes is not None and size != wanted.bytes:
        cut = "cut off, or " if size < wanted.bytes else ""
        return f"{shown}: expected {wanted.bytes} bytes, got {size}: the file is {cut}another version"
    found = file_hash(path) if wanted.sha256 is not None else None
    if found != wanted.sha256:
        return f"{shown}: expected SHA-256 {wanted.sha256}, got {found}: the file is damaged or another version"
    return None
