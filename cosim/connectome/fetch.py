"""Get the files of a data set: from their addresses, or from files that the user has; checked, and all or nothing."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cosim.connectome.download import download
from cosim.connectome.store import PREPARED, damage, file_hash, spec_of
from cosim.errors import UserError
from cosim.spec.connectome import ConnectomeSpec, FileSpec
from cosim.spec.load import Document
from cosim.spec.units import suggest
from cosim.zoo.data import data_folder

Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True)
class Fetched:
    """A file of a data set as it now lies on this machine; `verified`: its SHA-256 is what the descriptor says."""

    name: str
    path: Path
    bytes: int
    sha256: str
    verified: bool
    how: Literal["shipped", "was there", "downloaded", "copied"]


def fetch(
    document: Document, given: Sequence[Path] = (), progress: Progress | None = None, *, everything: bool = False
) -> list[Fetched]:
    """Bring every file of a data set to this machine, optional ones only with `everything` or where they are given.

    `given` are files that the user has; `progress` is called with (file, bytes so far, bytes in all if known).
    Raises UserError for a file that cannot be had or is not what the descriptor says; it is not kept then.
    """
    spec = spec_of(document)
    folder = data_folder(spec.name)
    own = _matched(spec, [n for n in spec.files if not (document.folder / n).is_file()], given)
    found = []
    for name, wanted in spec.files.items():
        beside = document.folder / name
        if beside.is_file():
            found.append(_told(beside, wanted, "shipped"))
            continue
        target = folder / name
        if wanted.optional and not everything and name not in own and not target.is_file():
            continue
        if name in own:
            _copy(own[name], target, wanted)
            found.append(_told(target, wanted, "copied"))
        elif target.is_file() and damage(target, wanted) is None:
            found.append(_told(target, wanted, "was there"))
        elif wanted.url is None:
            raise UserError(
                f"no address is known for {name}: get it where the data are from ({spec.source}) and give it with "
                f"--from FILE"
            )
        else:
            _folder(folder)
            call = (lambda done, size, file=name: progress(file, done, size)) if progress is not None else None
            download(wanted, target, call)
            found.append(_told(target, wanted, "downloaded"))
        if found[-1].how in ("copied", "downloaded"):
            shutil.rmtree(folder / PREPARED, ignore_errors=True)  # what was made of other files
    return found


def _told(path: Path, wanted: FileSpec, how: Literal["shipped", "was there", "downloaded", "copied"]) -> Fetched:
    error = damage(path, wanted)
    if error is not None:
        raise UserError(error)
    return Fetched(path.name, path, path.stat().st_size, file_hash(path), wanted.sha256 is not None, how)


def _matched(spec: ConnectomeSpec, needed: list[str], given: Sequence[Path]) -> dict[str, Path]:
    """Which given file is which: by name, or the only one for the only one."""
    for path in given:
        if not path.is_file():
            raise UserError(f"{path}: no such file")
    if len(needed) == 1 and len(given) == 1:
        return {needed[0]: given[0]}
    found: dict[str, Path] = {}
    for path in given:
        if path.name not in needed:
            listed = " and ".join(needed) or "nothing: all files are shipped"
            hint = suggest(path.name, needed) or f", expected {listed}"
            raise UserError(f"{path}: {spec.name} has no file of this name{hint}")
        found[path.name] = path
    return found


def _folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder} cannot be made: {error.strerror}; COSIM_DATA=DIR puts data elsewhere") from None


def _copy(source: Path, target: Path, wanted: FileSpec) -> None:
    """Copy a file beside its place, check it, and move it there."""
    error = damage(source, wanted)
    if error is not None:
        raise UserError(error)
    if target.is_file() and source.samefile(target):
        return
    _folder(target.parent)
    part = target.with_name(target.name + ".copy")
    try:
        shutil.copyfile(source, part)
        part.replace(target)
    except OSError as failure:
        with contextlib.suppress(OSError):
            part.unlink()
        raise UserError(f"{source} cannot be copied to {target}: {failure.strerror}") from None
