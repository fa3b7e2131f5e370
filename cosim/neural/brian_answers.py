"""What Brian2 says about equations, as questions whose answers JSON can hold; see cosim.neural.answers."""

from __future__ import annotations

from typing import Any

from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.equations.equations import Equations
from brian2.parsing.sympytools import str_to_sympy
from brian2.units.allunits import all_units
from brian2.units.stdunits import stdunits

import cosim.neural.quiet  # noqa: F401


def reading(text: str) -> dict[str, Any]:
    """The names that the right-hand sides use and, in the order of the text, name, kind and dimension of all variables.

    Raises what Brian2 raises for a text that it cannot read.
    """
    equations = Equations(text)
    return {
        "identifiers": sorted(str(name) for name in equations.identifiers),
        "variables": [[name, one.type, list(one.dim._dims)] for name, one in equations.items()],
    }


def names_with_a_meaning() -> list[str]:
    """Units, constants and functions."""
    return sorted({str(unit) for unit in all_units} | set(stdunits) | set(DEFAULT_CONSTANTS) | set(DEFAULT_FUNCTIONS))


def noise_vanishes(text: str, zero: list[str]) -> bool:
    """Whether every factor of xi is zero where these names are."""
    values = {str_to_sympy(name): 0 for name in zero}
    for _, expression in Equations(text).diff_eq_expressions:
        _, stochastic = expression.split_stochastic()
        for factor in (stochastic or {}).values():
            if str_to_sympy(factor.code).subs(values) != 0:
                return False
    return True
