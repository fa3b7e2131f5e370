"""What the elementary functions cost in a loop beside those of the C library, ns per number.

python -m tests.studies.exact_cost
"""

from __future__ import annotations

import ctypes
import tempfile
import time
from pathlib import Path

import numpy as np

from cosim.exact.cplusplus import name_of, source
from cosim.neural.toolchain import find_compiler, vector_flags
from tests.exact.test_accuracy import FUNCTIONS_WITH_ERRORS

N = 4096
LIBRARY = {"arctan": "atan", "arcsin": "asin", "arccos": "acos", "power": "pow", "exprel": "expm1"}


def program() -> str:
    """Loops over both."""
    loops = []
    for name in FUNCTIONS_WITH_ERRORS:
        given = "x[k], y[k]" if name == "power" else "x[k]"
        for kind, called in (("own", name_of(name)), ("library", f"std::{LIBRARY.get(name, name)}")):
            loops.append(
                f"void {kind}_{name}(const double *__restrict x, const double *__restrict y, double *__restrict out)\n"
                f"{{ for (int k = 0; k < {N}; k++) out[k] = {called}({given}); }}"
            )
    return "\n".join([source(), 'extern "C" {', *loops, "}"])


def library(folder: Path, vector: bool) -> ctypes.CDLL:
    """The loops, compiled as networks are, or without the newer instructions."""
    compiler = find_compiler()
    assert compiler is not None
    flags = compiler.flags(compiler.version)
    if not vector:
        flags = tuple(flag for flag in flags if flag not in vector_flags())
    (folder / "loops.cpp").write_text(program())
    compiler.compile(folder / "loops.cpp", folder / f"loops{vector}.so", flags)
    return ctypes.CDLL(str(folder / f"loops{vector}.so"))


def cost(loops: ctypes.CDLL, kind: str, name: str) -> float:
    """The least of many."""
    chance = np.random.default_rng(1)
    x = chance.uniform(0.05, 0.95, N) * (5.0 if name in ("exp", "expm1", "exprel", "sin", "cos", "tanh") else 1.0)
    arrays = [x, chance.uniform(-3, 3, N), np.empty(N)]
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in arrays]
    function = getattr(loops, f"{kind}_{name}")
    least = np.inf
    for _ in range(300):
        begin = time.perf_counter()
        function(*pointers)
        least = min(least, time.perf_counter() - begin)
    return least / N * 1e9


def main() -> None:
    """Print a line per function."""
    with tempfile.TemporaryDirectory() as folder:
        usual, plain = library(Path(folder), True), library(Path(folder), False)
        print(f"{'':8s} {'AVX2':>6s} {'SSE2':>6s} {'library':>8s}")
        for name in FUNCTIONS_WITH_ERRORS:
            costs = cost(usual, "own", name), cost(plain, "own", name), cost(usual, "library", name)
            print(f"{name:8s} {costs[0]:6.1f} {costs[1]:6.1f} {costs[2]:8.1f}")


if __name__ == "__main__":
    main()
