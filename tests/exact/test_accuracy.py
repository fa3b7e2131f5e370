"""The functions against mpmath: no error of 2 units in the last place; at the ends what IEEE 754 asks for."""

import math

import mpmath
import numpy as np
import pytest

from cosim.exact import FUNCTIONS, constants
from tests.exact.values import ENDS, arguments
from tests.studies import exact_constants

DIGITS = mpmath.mp.clone()
DIGITS.prec = 120
TRUE = {
    "exprel": lambda x: DIGITS.expm1(x) / x,
    "power": lambda x, y: x**y,
    "arctan": DIGITS.atan,
    "arcsin": DIGITS.asin,
    "arccos": DIGITS.acos,
}
FUNCTIONS_WITH_ERRORS = [
    "exp", "expm1", "exprel", "sinh", "cosh", "tanh", "log", "log10", "log1p", "power", "sin", "cos", "tan", "arctan",
    "arcsin", "arccos",
]  # fmt: skip
LEAST = 2.2250738585072014e-308


def errors(name: str, n: int, seed: int) -> np.ndarray:
    """The errors at n arguments in units in the last place (tests/studies/exact_errors.py tries many more)."""
    true = TRUE.get(name) or getattr(DIGITS, name)
    given = arguments(name, n, seed)
    found = FUNCTIONS[name][0](*given)
    out = []
    for y, *x in zip(found.tolist(), *(g.tolist() for g in given), strict=True):
        wanted = true(*map(DIGITS.mpf, x))
        if 9.2e-308 < abs(wanted) < 1.7976931348623157e308:
            out.append(float(abs(DIGITS.mpf(y) - wanted) / DIGITS.mpf(math.ulp(float(wanted)))))
    assert len(out) > n / 2
    return np.array(out)


@pytest.mark.parametrize("name", FUNCTIONS_WITH_ERRORS)
def test_no_error_reaches_two_units_in_the_last_place(name: str) -> None:
    assert errors(name, 2000, 7).max() < 2


def test_the_constants_are_what_they_are_said_to_be() -> None:
    names: dict[str, object] = {}
    exec(exact_constants.text(), names)
    for name, value in vars(constants).items():
        if name.isupper():
            assert np.array_equal(names[name], value, equal_nan=name == "NAN"), name


def flushed(x: np.ndarray) -> np.ndarray:
    return np.where(np.abs(x) < LEAST, np.copysign(0.0, x), x)


@pytest.mark.parametrize("name", [name for name in FUNCTIONS_WITH_ERRORS if name not in ("exprel", "power")])
def test_the_ends_are_those_of_ieee(name: str) -> None:
    # denormal numbers count as zero; beyond a range that is stated there is a stated value
    x = flushed(ENDS)
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x)
    if name in ("sin", "cos", "tan"):
        wanted = np.where(np.abs(x) > 210828714.0, np.nan, wanted)
    if name == "exp":
        wanted = np.where(x < -707, 0.0, wanted)
    found = flushed(FUNCTIONS[name][0](ENDS))
    same = np.isclose(found, wanted, rtol=1e-15, atol=0, equal_nan=True)
    assert same.all(), (ENDS[~same], found[~same], wanted[~same])
    zero = wanted == 0
    assert np.array_equal(np.signbit(found[zero]), np.signbit(wanted[zero]))


def test_powers_at_the_ends_are_those_of_ieee() -> None:
    x, y = (g.ravel() for g in np.meshgrid(ENDS, ENDS))
    with np.errstate(all="ignore"):
        wanted = np.power(flushed(x), flushed(y))
    wanted = np.where(np.abs(wanted) < 9.2e-308, np.copysign(0.0, wanted), wanted)
    found = FUNCTIONS["power"][0](x, y)
    same = np.isclose(found, wanted, rtol=1e-15, atol=0, equal_nan=True)
    assert same.all(), (x[~same], y[~same], found[~same], wanted[~same])


def test_exprel_at_the_ends() -> None:
    x = np.array([0.0, -0.0, 5e-324, 1e-300, -np.inf, np.inf, np.nan, 716.0, 717.5])
    found = FUNCTIONS["exprel"][0](x)
    large = float(DIGITS.expm1(DIGITS.mpf(716)) / 716)
    assert np.allclose(found, [1, 1, 1, 1, 0, np.inf, np.nan, large, np.inf], rtol=1e-15, atol=0, equal_nan=True)


def test_whole_numbers_are_exact() -> None:
    assert FUNCTIONS["log10"][0](10.0 ** np.arange(-22, 23)).tolist() == list(range(-22, 23))
    powers = [(b, n) for b in (-3.0, 2.0, 5.0, 10.0) for n in range(16)]
    assert [FUNCTIONS["power"][0](b, n) for b, n in powers] == [b**n for b, n in powers]
    assert FUNCTIONS["exp"][0](0.0) == FUNCTIONS["cos"][0](0.0) == FUNCTIONS["cosh"][0](0.0) == 1.0


def test_remainders_and_quotients() -> None:
    x, y = np.array([7.5, -7.5, 7.5, -7.5, 6.0]), np.array([2.0, 2.0, -2.0, -2.0, 3.0])
    assert FUNCTIONS["quotient"][0](x, y).tolist() == [3, -4, -4, 3, 2]
    assert FUNCTIONS["remainder"][0](x, y).tolist() == [1.5, 0.5, -0.5, -1.5, 0]
    assert FUNCTIONS["floor"][0](x).tolist() == [7, -8, 7, -8, 6]
    assert FUNCTIONS["ceil"][0](x).tolist() == [8, -7, 8, -7, 6]


def test_numbers_arrays_and_shapes() -> None:
    exp = FUNCTIONS["exp"][0]
    x = np.linspace(-3, 3, 60).reshape(3, 4, 5)
    assert exp(x).shape == (3, 4, 5)
    assert exp(x[:, ::2, 1]).tolist() == exp(x)[:, ::2, 1].tolist()
    assert isinstance(exp(1), float) and exp(1) == exp(np.array([1]))[0]
    assert FUNCTIONS["power"][0](x + 4, 1.5).tolist() == FUNCTIONS["power"][0](x + 4, np.full(x.shape, 1.5)).tolist()
    long = np.linspace(-3, 3, 100_000)
    assert exp(long)[::777].tolist() == exp(long[::777]).tolist()
