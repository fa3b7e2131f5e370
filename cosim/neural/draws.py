"""Random numbers inside equations: functions of (neuron's key, network step), the same bits in Python and in
compiled code.

``uniform_draw()`` and ``normal_draw()`` are rewritten to calls with the neuron's 64-bit key `draw_key`, the step and
the number of the call; ``xi`` becomes ``normal_draw()/sqrt(dt)`` held over the step, which under Euler is the
Euler-Maruyama scheme.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cosim.graph.random import normal_quantile, uniforms
from cosim.neural.draws_cpp import SOURCE

if TYPE_CHECKING:
    from brian2.core.functions import Function

_CALL = re.compile(r"\b(uniform|normal)_draw\s*\(\s*\)")


def rewrite(text: str, start: int) -> tuple[str, int]:
    """Replace the calls by keyed ones, numbered from `start`; returns the text and the next number."""
    count = start

    def replace(match: re.Match[str]) -> str:
        nonlocal count
        count += 1
        return f"cosim_{match[1]}(draw_key, t_in_timesteps, {count - 1})"

    return _CALL.sub(replace, text), count


def _uniform(key: NDArray[np.int64], step: NDArray[np.int64], call: NDArray[np.int64]) -> NDArray[np.float64]:
    # int64 keys wrap around to the unsigned 64 bits that the compiled code sees
    return uniforms(np.uint64(0), key, step, call)


def _normal(key: NDArray[np.int64], step: NDArray[np.int64], call: NDArray[np.int64]) -> NDArray[np.float64]:
    return normal_quantile(_uniform(key, step, call))


def functions() -> dict[str, Function]:
    """The two functions for a Brian2 namespace, for numpy, cython and C++."""
    from brian2.core.functions import Function

    from cosim.neural.languages import declare, in_cython

    text = in_cython("cosim_draws", SOURCE)
    found: dict[str, Function] = {}
    for name, python in (("cosim_uniform", _uniform), ("cosim_normal", _normal)):
        function = Function(python, arg_units=[1, 1, 1], return_unit=1, arg_types=["integer"] * 3, return_type="float")
        function.implementations.add_numpy_implementation(python)
        declare(function, name, ["long long"] * 3, text)
        found[name] = function
    return found
