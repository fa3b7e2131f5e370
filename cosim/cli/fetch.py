"""Get the data of a connectome: download what its descriptor names, or take files that you have; checked and read.

What is put where: $COSIM_DATA/NAME, else ~/.local/share/cosim/connectomes/NAME. A download that was interrupted goes on
where it ended.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cosim.cli.output import add_json, print_json, shown, size_text, table

if TYPE_CHECKING:
    from cosim.connectome.fetch import Fetched

HELP = "get the data of a connectome"


def arguments(verb: argparse.ArgumentParser) -> None:
    """The arguments of the verb."""
    verb.add_argument("name", metavar="NAME", help="the name of a connectome, or its dataset.yaml")
    verb.add_argument(
        "--from", dest="files", nargs="+", type=Path, default=[], metavar="FILE",
        help="files that you have, instead of downloading them",
    )  # fmt: skip
    verb.add_argument("--all", action="store_true", help="optional files too: tables that know more of the cells")
    add_json(verb)


def execute(given: argparse.Namespace) -> int:
    """Fetch, read, and say what is there now."""
    from cosim.connectome.fetch import fetch
    from cosim.connectome.store import describe, load_connectome, spec_of

    document = describe(given.name)
    spec = spec_of(document)
    print(f"licence: {spec.licence}", file=sys.stderr)
    line = _Line()
    try:
        files = fetch(document, given.files, line.update, everything=given.all)
    finally:
        line.close()
    connectome = load_connectome(document.path)
    if given.json:
        listed = [
            {"name": f.name, "path": f.path, "bytes": f.bytes, "sha256": f.sha256, "verified": f.verified, "how": f.how}
            for f in files
        ]
        content: dict[str, Any] = {"name": spec.name, "cells": connectome.n, "connections": len(connectome)}
        print_json({**content, "files": listed})
        return 0
    print("\n".join(table([(f.name, size_text(f.bytes), f.how, _checked(f)) for f in files], indent="")))
    print(f"{spec.name}: {connectome.n} cells, {len(connectome)} connections, in {shown(files[-1].path.parent)}")
    return 0


def _checked(file: Fetched) -> str:
    if file.verified:
        return "verified"
    return f"unverified: the descriptor has no sha256 (it is {file.sha256})"


class _Line:
    """How far a download is, on a terminal."""

    def __init__(self) -> None:
        self._active, self._next, self._length = sys.stderr.isatty(), 0.0, 0

    def update(self, file: str, done: int, size: int | None) -> None:
        """Show it, at most ten times a second."""
        if not self._active or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.1
        of = f" of {size / 1e6:.1f}" if size is not None else ""
        text = f"{file}: {done / 1e6:.1f}{of} MB"
        print("\r" + text.ljust(self._length), end="", file=sys.stderr, flush=True)
        self._length = len(text)

    def close(self) -> None:
        """Wipe the line."""
        if self._length:
            print("\r" + " " * self._length + "\r", end="", file=sys.stderr, flush=True)
            self._length = 0
