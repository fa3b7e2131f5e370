"""What verbs print: tables, one JSON object, and nothing that the engines write to standard output by themselves."""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import math
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def add_json(verb: argparse.ArgumentParser) -> None:
    """The option ``--json``."""
    verb.add_argument(
        "--json", action="store_true", help="one JSON object on standard output, the rest on standard error"
    )


def add_set(verb: argparse.ArgumentParser) -> None:
    """The option ``--set``."""
    verb.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a value, e.g. wires.stretch.delay='20 ms' or feedback_strength=2 (may be repeated)",
    )


def plain(value: Any) -> Any:
    """`value` as JSON can hold it: NaN and infinities become null, numpy's numbers and arrays numbers and lists."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


def print_json(content: Any) -> None:
    """Print one object on standard output."""
    print(json.dumps(plain(content), indent=1, ensure_ascii=False, allow_nan=False), flush=True)


def table(rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Rows as aligned lines; the last column is not padded."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row[:-1], widths, strict=False)]
        lines.append((indent + "  ".join([*cells, row[-1]])).rstrip())
    return lines


@contextlib.contextmanager
def engines_quiet() -> Iterator[None]:
    """Standard output belongs to the answer alone: what C code prints meanwhile goes to standard error.

    pybullet greets with its build time when it is imported, and Bullet prints from C, through a buffer written at exit.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    flush = ctypes.CDLL(None).fflush
    flush(None)
    kept, errors = os.dup(1), os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        with contextlib.suppress(ImportError):
            import pybullet  # noqa: F401
        flush(None)
        os.dup2(errors, 2)
        os.dup2(2, 1)
        yield
    finally:
        sys.stdout.flush()
        flush(None)
        os.dup2(errors, 2)
        os.dup2(kept, 1)
        os.close(errors)
        os.close(kept)


def shown(path: Path) -> str:
    """A path relative to the working directory where it lies below it (and that is not the root of everything)."""
    here = Path.cwd()
    if here == here.parent:
        return str(path.resolve())
    try:
        return str(path.resolve().relative_to(here))
    except ValueError:
        return str(path)


def size_text(size: int) -> str:
    """A number of bytes for a reader."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"
