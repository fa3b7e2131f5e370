"""The texts of models and the names of their parameters are checked before values are looked at.

What the equations say comes from Brian2 (cosim.neural.equations), which need not be imported for what it was asked
before.
"""

from __future__ import annotations

from collections.abc import Iterable

from cosim.neural.equations import (
    DRAWS,
    FORBIDDEN,
    RESERVED,
    first_line,
    free_names,
    identifiers,
    known_names,
    read,
    variable_units,
)
from cosim.spec.circuit import BUILTIN_MODELS, CircuitSpec, ModelSpec
from cosim.spec.units import suggest

Path = tuple[str | int, ...]
Problem = tuple[Path, str]


def check_models(circuit: CircuitSpec) -> list[Problem]:
    """What is wrong with the texts of the models and the names of their parameters, before values are looked at."""
    problems: list[Problem] = []
    for name, model in circuit.models.items():
        problems += [(("models", name, *path), message) for path, message in _check_text(model)]
    if problems:
        return problems
    for name, model in circuit.models.items():
        users = [p for p in circuit.populations.values() if p.model == name]
        problems += _check_names(circuit, name, model, used=bool(users))
    for name, spec in circuit.populations.items():
        if spec.model in BUILTIN_MODELS:
            known = {*variable_units(BUILTIN_MODELS[spec.model])}
            problems += _unknown(("populations", name, "parameters"), spec.parameters, known)
    return problems


def _check_text(model: ModelSpec) -> list[Problem]:
    problems: list[Problem] = []
    try:
        equations = read(model.equations)
    except Exception as error:  # Brian2 raises many kinds here
        return [(("equations",), f"cannot be parsed: {first_line(error)}")]
    for key in ("equations", "threshold", "reset"):
        for word, instead in FORBIDDEN.items():
            if word in identifiers(getattr(model, key) or ""):
                problems.append(((key,), f"{word}() is not reproducible here; use {instead}"))
    for noise in sorted(name for name in equations.identifiers if name.startswith("xi_")):
        problems.append(
            (
                ("equations",),
                f"'{noise}': only one noise term, `xi`, is available; add further ones as normal_draw()/sqrt(dt)",
            )
        )
    clash = sorted(equations.dims.keys() & RESERVED)
    problems += [(("equations",), f"the name '{name}' is used by cosim itself") for name in clash]
    for key in ("parameters", "initial"):
        for name in getattr(model, key):
            if name in RESERVED:
                problems.append(((key, name), f"the name '{name}' is used by cosim itself"))
    return problems


def _needed(model: ModelSpec) -> set[str]:
    """Names that must be given a value: used somewhere, defined nowhere."""
    equations = read(model.equations)
    used = set(equations.identifiers - known_names())
    for text in (model.threshold or "", model.reset or "", model.refractory.text if model.refractory else ""):
        used |= free_names(text)
    return used - equations.dims.keys() - RESERVED - {"xi", *DRAWS}


def _check_names(circuit: CircuitSpec, name: str, model: ModelSpec, *, used: bool) -> list[Problem]:
    problems: list[Problem] = []
    equations = read(model.equations)
    needed = _needed(model)
    settable = needed | set(equations.parameters)
    problems += _unknown(("models", name, "parameters"), model.parameters, settable)
    state = {*equations.states, *equations.parameters}
    problems += _unknown(("models", name, "initial"), model.initial, state)
    for population, spec in circuit.populations.items():
        if spec.model != name:
            continue
        here: Path = ("populations", population)
        problems += _unknown((*here, "parameters"), spec.parameters, settable)
        problems += _unknown((*here, "initial"), spec.initial, state)
        given = {*model.parameters, *spec.parameters}
        for missing in sorted(needed - given):
            hint = suggest(missing, given - settable) or suggest(missing, equations.dims)
            message = f"the model '{name}' needs a value for '{missing}' (it is in the equations){hint}"
            problems.append(((*here, "parameters") if spec.parameters else here, message))
    if not used:
        for missing in sorted(needed - set(model.parameters)):
            hint = suggest(missing, model.parameters)
            problems.append((("models", name, "equations"), f"no value for '{missing}' under parameters{hint}"))
    return problems


def _unknown(path: Path, given: Iterable[str], known: set[str]) -> list[Problem]:
    return [
        ((*path, name), f"'{name}' is not in the equations{suggest(name, known)}")
        for name in given
        if name not in known
    ]
