"""What Brian2 writes means the same in numpy, cython and C++: what is replaced by what, and what is left alone."""

import numpy as np
import pytest
from brian2 import NeuronGroup, prefs, run, second
from brian2.core.functions import DEFAULT_FUNCTIONS
from brian2.core.variables import AuxiliaryVariable

from cosim.exact import FUNCTIONS
from cosim.neural.equations import FORBIDDEN
from cosim.neural.languages import functions, replace
from tests.neural.helpers import play, start

KNOWN = {
    **{name: AuxiliaryVariable(name, dtype=float) for name in ("x", "y")},
    **{name: AuxiliaryVariable(name, dtype=int) for name in ("i", "j")},
    **DEFAULT_FUNCTIONS,
}
CASES = {
    "exp(-x/y) + tanh(x)": "cosim_exp((- x) / y) + cosim_tanh(x)",
    "x**2 + x**3 - x**4": "(cosim_square(x) + cosim_cube(x)) - cosim_fourth(x)",
    "x**-2": "1.0 / cosim_square(x)",
    "x**0.5": "cosim_sqrt(x)",
    "x**(-1/2)": "1.0 / cosim_sqrt(x)",
    "x**1": "x",
    "x**0": "1.0",
    "x**5": "cosim_power(x, 5.0)",
    "x**(1/3)": f"cosim_power(x, {1 / 3!r})",
    "x**y": "cosim_power(x, y)",
    # numbers are computed here, whole powers of them exactly
    "x*10**-3": "x * 0.001",
    "2**0.5*x": f"{2**0.5!r} * x",
    "2**-x": "cosim_power(2, - x)",
    "0**-1*x": "cosim_power(0, - 1) * x",
    # whole numbers stay whole; their quotient is one of 64 bits in C++, too
    "i % 3 + i//2": "(i % 3) + (i // 2)",
    "i/j": "(1.0 * i) / j",
    "x % 3 + x//2": "cosim_remainder(x, 3) + cosim_quotient(x, 2)",
    "floor(x) + ceil(i/2)": "cosim_floor(x) + cosim_ceil((1.0 * i) / 2)",
    "clip(x, 0, 1)*sign(y)*abs(x)": "(clip(x, 0, 1) * sign(y)) * abs(x)",
    "x > 0 and y < exp(1)": "(x > 0) and (y < cosim_exp(1))",
}


@pytest.mark.parametrize("text", CASES)
def test_what_is_replaced_by_what(text: str) -> None:
    found = replace(text, {**KNOWN, **functions()})
    assert found == CASES[text]
    assert replace(found, {**KNOWN, **functions()}) == found  # it is done twice


def test_every_function_of_brian_is_replaced_or_exact_or_refused() -> None:
    # fails if a version of Brian2 brings a new one
    exact = {"abs", "sign", "clip", "int", "timestep"}
    assert DEFAULT_FUNCTIONS.keys() - FUNCTIONS.keys() - FORBIDDEN.keys() == exact


def test_other_networks_in_the_process_are_left_alone() -> None:
    _, backend = start(models={"m": {"equations": "dv/dt = exp(-v)/second : 1", "method": "euler"}},
                       populations={"A": {"model": "m", "n": 3}})  # fmt: skip
    play(backend, 2)
    assert prefs.codegen.target == "numpy"
    assert DEFAULT_FUNCTIONS["exp"].implementations["numpy"].get_code(None) is np.exp
    group = NeuronGroup(1, "dv/dt = exp(-v)/second : 1", method="euler")
    run(0 * second)
    (code,) = group.state_updater.code_objects
    assert "cosim" not in code.code.run and "exp(" in code.code.run
