"""One suite, several backends: tests that take `target` run on each of them.

Numpy code is made in milliseconds; cython compiles every new code object for some four seconds, the compiled
backend every new network for some eight. So by default only the tests marked `compiled` run on these two as well.
One of them shows that a network with noise, delays, refractoriness and dropped spikes gives the bits of numpy, so
what the other tests state of numpy holds there; the rest are what it lacks. ``COSIM_TEST_COMPILED=all`` runs every
test on all, ``COSIM_TEST_COMPILED=none`` on numpy alone. A test that looks into Brian2's objects is marked
`brian_objects`: the compiled backend has none.
"""

import os

import pytest

from cosim.neural.runtime import has_compiler


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "compiled: run on compiled code by default (see tests/neural/conftest.py)")
    config.addinivalue_line("markers", "brian_objects: looks into Brian2's objects, which the compiled backend has not")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "target" not in metafunc.fixturenames:
        return
    wish = os.environ.get("COSIM_TEST_COMPILED", "marked")
    marked = metafunc.definition.get_closest_marker("compiled") is not None
    compiled = wish == "all" or (wish == "marked" and marked)
    missing = pytest.mark.skipif(not has_compiler(), reason="no C++ compiler")
    more = ["cython"] if metafunc.definition.get_closest_marker("brian_objects") else ["cython", "compiled"]
    metafunc.parametrize("target", ["numpy", *(pytest.param(t, marks=missing) for t in more if compiled)])
