"""One suite, several code generators: tests that take `target` run on each of them.

Numpy code is made in milliseconds; cython compiles every new code object for some four seconds. So by default only the
tests marked `compiled` run on cython too. One of them shows that a network with noise, delays, refractoriness and
dropped spikes gives the bits of numpy, so what the other tests state of numpy holds there; the rest are what it lacks.
``COSIM_TEST_COMPILED=all`` runs every test on both, ``COSIM_TEST_COMPILED=none`` none on cython.
"""

import os

import pytest

from cosim.neural.runtime import has_compiler


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "compiled: run on cython as well by default (see tests/neural/conftest.py)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" not in metafunc.fixturenames:
        return
    wish = os.environ.get("COSIM_TEST_COMPILED", "marked")
    marked = metafunc.definition.get_closest_marker("compiled") is not None
    cython = wish == "all" or (wish == "marked" and marked)
    missing = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
    metafunc.parametrize("target", ["numpy", *([pytest.param("cython", marks=missing)] if cython else [])])
