"""One file from its address: what came before an interruption is kept and gone on from."""

from __future__ import annotations

import contextlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cosim import __version__
from cosim.connectome.store import damage
from cosim.errors import UserError
from cosim.spec.connectome import FileSpec

_PIECE = 1 << 18
_TIMEOUT = 60.0  # s without a byte


def download(
    wanted: FileSpec, target: Path, progress: Callable[[int, int | None], None] | None = None
) -> None:  # fmt: skip
    """Download to ``target.part``, check it, and move it to `target`.

    The part is gone on from where the server can (and, as far as it tells, still has the same file). Raises UserError;
    then the part is kept if the connection ended, and removed if it is not what the descriptor says.
    """
    assert wanted.url is not None
    part, tag = (target.with_name(target.name + ending) for ending in (".part", ".part.etag"))
    try:
        size = _receive(wanted.url, part, tag, progress)
    except OSError as error:
        raise UserError(_failed(wanted.url, target, part, error)) from None
    except http.client.HTTPException as error:
        raise UserError(_failed(wanted.url, target, part, error)) from None
    got = part.stat().st_size
    if size is not None and got < size:
        raise UserError(
            f"{target.name}: the connection ended after {_mb(got)} of {_mb(size)}; what came is kept, the same command "
            f"goes on from there"
        )
    error_text = damage(part, wanted, target.name)
    if error_text is not None:
        _remove(part, tag)
        raise UserError(f"{error_text}; it was not kept")
    os.replace(part, target)
    _remove(tag)


def _receive(
    url: str, part: Path, tag: Path, progress: Callable[[int, int | None], None] | None
) -> int | None:  # fmt: skip
    """Append what is missing to the part; the size of the whole file, where the server tells it."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": f"cosim/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if tag.is_file():
            headers["If-Range"] = tag.read_text(encoding="ascii")
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is left to send, or the part is longer than the file
            total = (error.headers.get("Content-Range") or "").rpartition("/")[2]
            if total.isdigit() and int(total) == have:
                return have
            _remove(part, tag)
            return _receive(url, part, tag, progress)
        raise
    with answer:
        if answer.status != 206:
            have = 0
        mark = answer.headers.get("ETag")
        if mark is not None and not mark.startswith("W/"):
            tag.write_text(mark, encoding="ascii")
        else:
            _remove(tag)
        length = answer.headers.get("Content-Length")
        size = have + int(length) if length is not None and length.isdigit() else None
        _append(answer, part, have, size, progress)
    return size


def _append(
    answer: Any, part: Path, have: int, size: int | None, progress: Callable[[int, int | None], None] | None
) -> None:
    with part.open("ab" if have else "wb") as file:
        while piece := answer.read(_PIECE):
            file.write(piece)
            have += len(piece)
            if progress is not None:
                progress(have, size)


def _failed(url: str, target: Path, part: Path, error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"{url}: the server answers {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    text = " ".join(str(getattr(reason, "strerror", None) or reason).split()) or type(reason).__name__
    kept = f"; {_mb(part.stat().st_size)} are kept, the same command goes on from there" if part.is_file() else ""
    return f"{target.name} cannot be downloaded from {url}: {text}{kept}"


def _remove(*files: Path) -> None:
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            file.unlink()


def _mb(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size} bytes"
