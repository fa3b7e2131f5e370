"""What all documents share: the frozen base class, names, distributions, and expressions kept for later."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, WithJsonSchema

from cosim.spec.units import Expression, UnitError, as_expression

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")


class Spec(BaseModel):
    """Base of every document class: frozen, and a key that is not declared is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, populate_by_name=True)


def _check_name(name: Any) -> str:
    if not isinstance(name, str):
        raise UnitError(f"expected a name, got '{str(name).lower()}' (quote names that YAML reads as something else)")
    if not _NAME.match(name):
        raise UnitError(f"'{name}' is not a name: letters, digits and _ only, beginning with a letter")
    return name


Name = Annotated[str, BeforeValidator(_check_name)]

_LABEL = re.compile(r"[A-Za-z][A-Za-z0-9_]*(\.[xyzw])?\Z")


def _check_label(label: Any) -> str:
    if isinstance(label, str) and "." in label and _LABEL.match(label):
        return label
    return _check_name(label)


# What a sensor or actuator has values of: a link, a joint, a foot; or one component of it, such as Thorax.z
Label = Annotated[str, BeforeValidator(_check_label)]

# An expression that is evaluated when its variables (positions, sides, channel values) are known.
Expr = Annotated[
    Expression,
    BeforeValidator(as_expression),
    WithJsonSchema({"type": ["string", "number"], "description": "an expression with units"}),
]


def as_list(raw: Any) -> Any:
    """Let a user write one item where a list is meant."""
    return raw if isinstance(raw, list | tuple) else [raw]


def non_empty(items: Any) -> Any:
    """Refuse an empty list or mapping."""
    if not items:
        raise UnitError("must not be empty")
    return items


NonEmpty = AfterValidator(non_empty)
ListOf = BeforeValidator(as_list)


class Located(ValueError):
    """Problems found by a check over several values, each with its path relative to the model that checks.

    Attributes
    ----------
    problems: list of (path, message); a path is a tuple of keys and list indices.
    """

    def __init__(self, problems: list[tuple[tuple[str | int, ...], str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{'.'.join(map(str, path))}: {message}" for path, message in problems))
