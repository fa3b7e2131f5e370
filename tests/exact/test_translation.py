"""The C++ that the functions are translated to has their bits, with and without the newer instructions."""

import ctypes

import numpy as np
import pytest
from numpy.typing import NDArray

from cosim.exact import FUNCTIONS
from cosim.exact.cplusplus import name_of, source
from cosim.neural.toolchain import find_compiler, has_compiler, vector_flags
from tests.exact.values import ENDS, arguments

pytestmark = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")


def program() -> str:
    """Loops over the functions, each of two arguments."""
    loops = [
        f"void loop_{name}(int64_t n, const double *__restrict x, const double *__restrict y, double *__restrict out)\n"
        f"{{ for (int64_t k = 0; k < n; k++) out[k] = {name_of(name)}({'x[k]' if count == 1 else 'x[k], y[k]'}); }}"
        for name, (_, count) in FUNCTIONS.items()
    ]
    # twice: it may come with every function that a cython module uses
    return "\n".join([source(), source(), 'extern "C" {', *loops, "}"])


@pytest.fixture(scope="module", params=["usual", "plain"])
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    path = tmp_path_factory.mktemp("exact")
    (path / "functions.cpp").write_text(program())
    compiler = find_compiler()
    assert compiler is not None
    flags = compiler.flags(compiler.version)
    if request.param == "plain":
        flags = tuple(flag for flag in flags if flag not in vector_flags())
    compiler.compile(path / "functions.cpp", path / "functions.so", flags)
    return ctypes.CDLL(str(path / "functions.so"))


def compiled(library: ctypes.CDLL, name: str, x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.empty_like(x)
    pointers = [ctypes.c_void_p(array.ctypes.data) for array in (x, y, out)]
    getattr(library, f"loop_{name}")(ctypes.c_int64(len(x)), *pointers)
    return out


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_and_compiled_code_give_the_same_bits(library: ctypes.CDLL, name: str) -> None:
    # fails if products and sums are contracted (-ffp-contract=fast with FMA) or with -ffast-math
    given = arguments(name, 20_000, 3)
    chance = np.random.default_rng(5).uniform(-3, 3, len(given[0]))
    ends = [end.ravel() for end in np.meshgrid(ENDS, ENDS)]
    x, y = (np.concatenate([a, b]) for a, b in zip((*given, chance)[:2], ends, strict=True))
    python, count = FUNCTIONS[name]
    wanted, found = python(*(x, y)[:count]), compiled(library, name, x, y)
    same = (wanted.view(np.uint64) == found.view(np.uint64)) | (np.isnan(wanted) & np.isnan(found))
    assert same.all(), (x[~same][:3], y[~same][:3], wanted[~same][:3], found[~same][:3])
