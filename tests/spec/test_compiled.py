"""Compiled expressions give the bits of the same formula written in numpy."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cosim.spec.compiled import compiled
from cosim.spec.units import UnitError, Value, parse

X = np.array([-3.0, -1e-3, -0.0, 0.0, 1e-300, 0.1, 0.7, 2.0, 1e9, np.inf, np.nan])
GAIN = np.linspace(0.3, 2.9, len(X))
SIDE = np.arange(len(X)) % 2  # whole numbers, as the language's `side`
NONE = (0.0,) * 7

CASES: dict[str, Callable[[Any], Any]] = {
    "1 + gain*(x - 0.1)/3": lambda x: 1 + GAIN * (x - 0.1) / 3,
    "10*(2 + 1/3)*max(0, x/0.7 - 1)/0.1": lambda x: 10 * (2 + 1 / 3) * np.maximum(0, x / 0.7 - 1) / 0.1,
    "min(x, 0.5)^2 + x^0.5": lambda x: np.minimum(x, 0.5) ** 2 + x**0.5,
    "side*x - 2*side": lambda x: SIDE * x - 2 * SIDE,
    "-where(x > 0.1, 0, 1)*3": lambda x: -np.where(x > 0.1, 0, 1) * 3,
    "0*where(x > 0, -1, 1) + 0.0*x": lambda x: 0 * np.where(x > 0, -1, 1) + 0.0 * x,
    "clip(x, -1, 1) + exp(-(x - 1)^2/2)": lambda x: np.clip(x, -1, 1) + np.exp(-((x - 1) ** 2) / 2),
    "where(x > 0 and x <= 0.7, gain, -x)": lambda x: np.where((x > 0) & (x <= 0.7), GAIN, -x),
}


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("text", CASES)
def test_folding_changes_no_bit(text: str) -> None:
    scope = {"gain": Value(GAIN), "side": Value(SIDE), "x": Value(np.zeros(len(X)))}
    call = compiled(parse(text), scope, ("x",), NONE)
    found, expected = np.asarray(call(X), dtype=np.float64), np.asarray(CASES[text](X), dtype=np.float64)
    assert found.tobytes() == expected.tobytes()


def test_what_has_no_argument_is_computed_once() -> None:
    scope = {"gain": Value(GAIN.copy()), "x": Value(np.zeros(len(X)))}
    call = compiled(parse("x + exp(2*gain)"), scope, ("x",), NONE)
    before = call(X)
    np.asarray(scope["gain"].value)[:] = 0.0  # bound as it was
    assert before.tobytes() == call(X).tobytes() == (X + np.exp(2 * GAIN)).tobytes()


def test_units_are_checked_before() -> None:
    scope = {"x": Value(np.zeros(3), parse("1 mV").evaluate().dim)}
    with pytest.raises(UnitError, match="units do not agree"):
        compiled(parse("x + 1 mA"), scope, ("x",), NONE)
