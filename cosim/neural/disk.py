"""The user's cache directory, and files in it that a reader sees whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from cosim.errors import CosimError


def base() -> Path:
    """``$XDG_CACHE_HOME/cosim`` or ``~/.cache/cosim``. Raises CosimError where there is no home directory."""
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "cosim"
    except RuntimeError:
        raise CosimError("there is no home directory for the cache; XDG_CACHE_HOME names another place") from None


def write(path: Path, text: str) -> None:
    """Replace a file by one with this text. Raises OSError."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
