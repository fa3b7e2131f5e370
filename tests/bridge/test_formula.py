"""Formulas on a tape: the bits of the same expression evaluated at once, whoever plays it."""

import ctypes

import numpy as np
import pytest

from cosim.bridge.formula import Formula
from cosim.spec.units import UnitError, Value, parse
from cosim.tape import Tape
from tests.tape.conftest import library  # noqa: F401

X = np.array([-3.0, -1e-3, -0.0, 0.0, 1e-300, 0.1, 0.7, 2.0, 1e9, np.inf, np.nan])
Y = np.linspace(-2, 2, len(X))
SCOPE = {"gain": Value(np.linspace(0.3, 2.9, len(X))), "side": Value(np.arange(len(X)) % 2), "k": Value(1.5)}
NONE = (0.0,) * 7

TEXTS = [
    "1 + gain*(x - 0.1)/3", "10*(2 + 1/3)*max(0, x/0.7 - 1)/0.1", "min(x, 0.5)^2 + x^0.5 - y^3 + 1/(1 + x^4) + y^-2",
    "side*x - 2*side", "-where(x > 0.1, 0, 1)*3 + abs(y)", "0*where(x > 0, -1, 1) + 0.0*x", "clip(x, -1, 1) + x % 0.3",
    "exp(-(x - 1)^2/2)", "where(x > 0 and x <= 0.7 or not y < 1, gain, -x)",
    "1*(-1 < x < k) + 2*(x == y) + 4*(x != 0.1)",
    "sin(x) + cos(y)*tan(x) + tanh(x) - log(x) + sqrt(gain) + floor(10*x) + sign(x)", "k^x + x^gain", "x", "-x", "+y",
    "3*k", "gain + 1", "pi*x + 2*x*x - x",
]  # fmt: skip


@pytest.mark.parametrize("player", ["numpy", "library"])
@pytest.mark.parametrize("text", TEXTS)
def test_the_bits_are_those_of_the_expression(text: str, player: str, library: ctypes.PyDLL) -> None:  # noqa: F811
    expression = parse(text)
    expected = expression.evaluate({**SCOPE, "x": Value(X), "y": Value(Y)}).value
    expected = np.broadcast_to(np.asarray(expected, dtype=np.float64), X.shape)
    zeros = Value(np.zeros(len(X)))
    formula = Formula(expression, {**SCOPE, "x": zeros, "y": zeros}, ("x", "y"), NONE)
    tape, x, y = Tape(), X.copy(), Y.copy()
    found = formula.on(tape, x, y)
    play = tape.load(library if player == "library" else None)
    for tick in range(2):  # twice: what is left in a place of its own is not read again
        play(tick, np.empty(0, dtype=np.int32))
        nan = np.isnan(expected)
        assert np.array_equal(np.isnan(found), nan)
        assert found[~nan].tobytes() == expected[~nan].tobytes()
    assert x.tobytes() == X.tobytes() and y.tobytes() == Y.tobytes()


def test_what_is_no_argument_is_bound_as_it_was() -> None:
    gain = np.ones(3)
    formula = Formula(parse("x + exp(2*gain)"), {"gain": Value(gain), "x": Value(np.zeros(3))}, ("x",), NONE)
    gain[:] = 0.0
    tape = Tape()
    found = formula.on(tape, np.zeros(3))
    tape.play(0)
    assert np.allclose(found, np.exp(2.0))
    assert len(tape.ops) == 1  # the exponential was computed at once


def test_units_are_checked_before() -> None:
    scope = {"x": Value(np.zeros(3), parse("1 mV").evaluate().dim)}
    with pytest.raises(UnitError, match="units do not agree"):
        Formula(parse("x + 1 mA"), scope, ("x",), NONE)
    with pytest.raises(UnitError, match="expected a number without a unit"):
        Formula(parse("2*x"), scope, ("x",), NONE)
