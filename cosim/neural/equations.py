"""Reading model equations: which names are parameters, are units consistent, does the noise matter; with plain
messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from brian2.core.functions import DEFAULT_CONSTANTS, DEFAULT_FUNCTIONS
from brian2.equations.equations import Equations
from brian2.parsing.sympytools import str_to_sympy
from brian2.units.allunits import all_units
from brian2.units.stdunits import stdunits
from brian2.utils.stringtools import get_identifiers

from cosim.spec.circuit import ModelSpec
from cosim.spec.units import Dim

_BASE = ("metre", "kilogram", "second", "amp", "kelvin", "mol", "candela")
_XI = re.compile(r"\bxi\b")
RESERVED = frozenset(
    {"alive", "draw_key", "i", "j", "N", "t", "dt", "t_in_timesteps", "lastspike", "not_refractory", "intact"}
)
FORBIDDEN = {
    "rand": "uniform_draw()",
    "randn": "normal_draw() or xi",
    "poisson": "a population of the model poisson_source",
    "binomial": "uniform_draw()",
}
DRAWS = ("uniform_draw", "normal_draw")


def unit_name(dim: Dim) -> str:
    """A dimension as the product of base units that Brian2's equations accept, e.g. ``metre**2*kilogram``."""
    parts = [name if e == 1 else f"{name}**{e:g}" for name, e in zip(_BASE, dim, strict=True) if e]
    return "*".join(parts) or "1"


def known_names() -> frozenset[str]:
    """Names that need no value: units, constants and functions."""
    units = {str(u) for u in all_units} | set(stdunits) | set(_BASE) | {"volt", "Hz", "hertz", "siemens", "ohm"}
    words = {"True", "False", "and", "or", "not", *DRAWS}
    return frozenset(units | set(DEFAULT_CONSTANTS) | set(DEFAULT_FUNCTIONS) | words)


def free_names(text: str) -> set[str]:
    """Identifiers of an expression or statements that are no known name."""
    return set(get_identifiers(re.sub(r"#.*", "", text))) - known_names()


def used_names(equations: Equations) -> set[str]:
    """Identifiers on the right-hand sides of equations that are no known name."""
    return {str(name) for name in equations.identifiers} - known_names()


def declared(equations: Equations) -> set[str]:
    """All names that the equations themselves define."""
    return set(equations.names)


def xi_text(text: str, replacement: str) -> str:
    """Equations with xi replaced."""
    return _XI.sub(replacement, text)


def model_text(spec: ModelSpec, *, drop_noise: bool = False) -> str:
    """The equations as emitted: noise dropped where it vanishes, else drawn by counter and held over the step."""
    if not _XI.search(spec.equations):
        return spec.equations.strip()
    if drop_noise:
        return xi_text(spec.equations, "(0*second**-0.5)").strip()
    body = xi_text(spec.equations, "held_noise").strip()
    return body + "\nheld_noise = normal_draw()/sqrt(dt) : second**-0.5 (constant over dt)"


def xi_vanishes(spec: ModelSpec, fixed: Mapping[str, float]) -> bool:
    """Whether every factor of xi is zero, given the parameters that are one number for all."""
    if not _XI.search(spec.equations):
        return False
    zero = {str_to_sympy(name): 0 for name, value in fixed.items() if value == 0.0}
    for _, expression in Equations(spec.equations).diff_eq_expressions:
        _, stochastic = expression.split_stochastic()
        for factor in (stochastic or {}).values():
            if str_to_sympy(factor.code).subs(zero) != 0:
                return False
    return True


def declare_parameters(spec: ModelSpec, parameters: Mapping[str, Dim], shared: set[str]) -> str:
    """Declarations of the parameters that the equations use but do not declare."""
    own = declared(Equations(spec.equations))
    lines = []
    for name, dim in parameters.items():
        if name not in own:
            lines.append(f"{name} : {unit_name(dim)} ({'shared, ' if name in shared else ''}constant)")
    return "\n".join(lines)


def parameter_units(spec: ModelSpec) -> dict[str, Dim]:
    """Dimensions of the parameters declared in the equations."""
    equations = Equations(spec.equations)
    return {name: tuple(equations[name].dim._dims) for name in equations.parameter_names}


def variable_units(spec: ModelSpec) -> dict[str, Dim]:
    """Dimensions of all variables that the equations define."""
    equations = Equations(spec.equations)
    return {name: tuple(eq.dim._dims) for name, eq in equations.items()}


def first_line(error: Any) -> str:
    """The first sentence of a Brian2 error, without its frame of hints."""
    text = str(error).strip().replace("\n", " ")
    return re.sub(r"\s+", " ", text)[:300]
