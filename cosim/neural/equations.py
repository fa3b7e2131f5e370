"""Reading model equations: which names are parameters, are units consistent, does the noise matter; with plain
messages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from cosim.neural.answers import ask
from cosim.spec.circuit import ModelSpec
from cosim.spec.units import Dim

_BASE = ("metre", "kilogram", "second", "amp", "kelvin", "mol", "candela")
_XI = re.compile(r"\bxi\b")
_IDENTIFIER = re.compile(r"\b[A-Za-z_][A-Za-z0-9_]*\b")
_KEYWORDS = frozenset({"and", "or", "not", "True", "False"})
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


@dataclass(frozen=True)
class Reading:
    """What equations say.

    Attributes
    ----------
    identifiers: the names on right-hand sides that the equations do not define.
    dims: dimension of every variable that they define, in the order of the text.
    states, parameters: those of them that have a differential equation, and those that are declared only.
    """

    identifiers: frozenset[str]
    dims: Mapping[str, Dim]
    states: tuple[str, ...]
    parameters: tuple[str, ...]


@lru_cache(maxsize=256)
def read(text: str) -> Reading:
    """Read equations. Raises whatever Brian2 raises for a text that it cannot read."""
    found = ask("reading", text)
    kinds = {name: kind for name, kind, _ in found["variables"]}
    return Reading(
        frozenset(found["identifiers"]),
        {name: tuple(dim) for name, _, dim in found["variables"]},
        tuple(name for name, kind in kinds.items() if kind == "differential equation"),
        tuple(name for name, kind in kinds.items() if kind == "parameter"),
    )


@lru_cache(maxsize=1)
def known_names() -> frozenset[str]:
    """Names that need no value: units, constants and functions."""
    more = {*_BASE, "volt", "Hz", "hertz", "siemens", "ohm", "True", "False", "and", "or", "not", *DRAWS}
    return frozenset(ask("names_with_a_meaning")) | more


def identifiers(text: str) -> set[str]:
    """All names in a text, as Brian2 finds them."""
    return {*_IDENTIFIER.findall(text)} - _KEYWORDS


def free_names(text: str) -> set[str]:
    """Identifiers of an expression or statements that are no known name."""
    return identifiers(re.sub(r"#.*", "", text)) - known_names()


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
    zero = {name for name, value in fixed.items() if value == 0.0} & identifiers(spec.equations)
    return bool(ask("noise_vanishes", spec.equations, tuple(sorted(zero))))


def declare_parameters(spec: ModelSpec, parameters: Mapping[str, Dim], shared: set[str]) -> str:
    """Declarations of the parameters that the equations use but do not declare."""
    own = read(spec.equations).dims
    lines = []
    for name, dim in parameters.items():
        if name not in own:
            lines.append(f"{name} : {unit_name(dim)} ({'shared, ' if name in shared else ''}constant)")
    return "\n".join(lines)


def parameter_units(spec: ModelSpec) -> dict[str, Dim]:
    """Dimensions of the parameters declared in the equations."""
    found = read(spec.equations)
    return {name: found.dims[name] for name in found.parameters}


def variable_units(spec: ModelSpec) -> dict[str, Dim]:
    """Dimensions of all variables that the equations define."""
    return dict(read(spec.equations).dims)


def first_line(error: Any) -> str:
    """The first sentence of a Brian2 error, without its frame of hints."""
    text = str(error).strip().replace("\n", " ")
    return re.sub(r"\s+", " ", text)[:300]
