"""Resume the results named as arguments, each in a process of its own, two at a time; run by helpers.restored().

    python goes_on.py BACKEND DIR...

The processes are forked from this one, which has imported what they need and done nothing else.
"""

import multiprocessing
import sys
from functools import partial
from pathlib import Path

import zarr  # noqa: F401

import cosim.neural.runtime  # noqa: F401
from cosim.checkpoint.resume import resume


def go_on(backend: str, path: str) -> list[str]:
    """What was said."""
    said: list[str] = []
    resume(Path(path), backend=backend, say=said.append)
    return said


if __name__ == "__main__":
    backend, *paths = sys.argv[1:]
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        for said in pool.map(partial(go_on, backend), paths, chunksize=1):
            print(*said, sep="\n")
